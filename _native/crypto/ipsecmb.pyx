"""ipsec-mb, loaded at run time; the contract is in ipsecmb.pxd, what is used of the library's ABI in ipsecmb.h."""

from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from simplestchat._native.core.types cimport E_INTERNAL, u8, u32, u64
from simplestchat._native.crypto.hmacsha1 cimport HmacSha1, SHA1_SIZE
from simplestchat._native.crypto.openssl cimport OPENSSL_cleanse

cdef extern from "crypto/ipsecmb.h" nogil:
    enum:
        MB_X86_64
        MB_OLDEST
        MB_NEWEST
        MB_LARGER_KEYS
        MB_GCM_KEY_ROOM
        MB_GCM_KEY_ROOM_LARGER
        MB_CM_KEY_ROOM
        MB_AES_128_KEYS
        MB_CIPHER_CNTR
        MB_ENCRYPT
        MB_CIPHER_THEN_HASH
        MB_HMAC_SHA1
        MB_COMPLETED
        MB_JOBS
    ctypedef struct MbJob:
        const void* enc_keys
        const void* dec_keys
        u64 key_size
        const u8* src
        u8* dst
        u64 cipher_offset
        u64 cipher_size
        u64 hash_offset
        u64 hash_size
        const u8* iv
        u64 iv_size
        u8* tag
        u64 tag_size
        const void* hmac_inner
        const void* hmac_outer
        int status
        int cipher_mode
        int direction
        int hash
        int order
        void* user_data
    ctypedef struct MbManager
    ctypedef struct MbManager:
        int error
        MbJob* (*get_next_job)(MbManager*) noexcept nogil
        MbJob* (*submit_job_nocheck)(MbManager*) noexcept nogil
        MbJob* (*get_completed_job)(MbManager*) noexcept nogil
        MbJob* (*flush_job)(MbManager*) noexcept nogil
        void (*keyexp_128)(const void* key, void* encrypt, void* decrypt) noexcept nogil
        mb_gcm_fn gcm_enc[3]
        mb_gcm_fn gcm_dec[3]
        void (*gcm_pre[3])(const void* key, void* prepared) noexcept nogil
    bint mb_take(char* flag)
    void mb_give(char* flag)

cdef extern from "dlfcn.h" nogil:
    int RTLD_NOW
    int RTLD_LOCAL
    void* dlopen(const char* name, int flags)
    void* dlsym(void* library, const char* name)

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void** out, size_t alignment, size_t size)

ctypedef u32 (*_version_fn)() noexcept nogil
ctypedef MbManager* (*_alloc_fn)(u64 flags) noexcept nogil
ctypedef void (*_init_fn)(MbManager* manager, int* arch) noexcept nogil

cdef enum:
    ALIGNMENT = 64
    CM_TAG = 10
    TAG_ASKED = 12                 # the truncation of IPsec, whose first ten bytes are SRTP's
    IV_SIZE = 16
    BITS_128 = 0                   # places in the manager's arrays by key size
    BITS_256 = 2

cdef struct Batch:
    char busy
    u32 count
    int failed
    u8 iv[MB_JOBS][IV_SIZE]
    u8 tags[MB_JOBS][SHA1_SIZE]
    u8* where[MB_JOBS]
    int* results[MB_JOBS]

cdef MbManager* _manager = NULL
cdef u32 _version = 0
cdef MbGcm _gcm[2]
cdef Batch _batch
memset(&_batch, 0, sizeof(_batch))


cdef const char* mb_open() noexcept nogil:
    global _manager, _version
    cdef void* library
    cdef _version_fn version
    cdef _alloc_fn alloc
    cdef _init_fn init
    cdef MbManager* manager
    cdef int arch
    if _manager != NULL:
        return NULL
    if not MB_X86_64:
        return "it is for x86-64 only"
    library = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL)
    if library == NULL:
        return "libIPSec_MB.so.1 is not installed (Debian: libipsec-mb1)"
    version = <_version_fn>dlsym(library, "imb_get_version")
    alloc = <_alloc_fn>dlsym(library, "alloc_mb_mgr")
    init = <_init_fn>dlsym(library, "init_mb_mgr_auto")
    if version == NULL or alloc == NULL or init == NULL:
        return "libIPSec_MB.so.1 lacks functions that it should have"
    if not MB_OLDEST <= version() <= MB_NEWEST:
        return "libIPSec_MB.so.1 is of another version than 1.1 to 1.5"
    manager = alloc(0)
    if manager == NULL:
        return "it found no memory"
    init(manager, &arch)
    if manager.error != 0:
        return "it does not work on this processor"
    _gcm[0].encrypt, _gcm[0].decrypt = manager.gcm_enc[BITS_128], manager.gcm_dec[BITS_128]
    _gcm[1].encrypt, _gcm[1].decrypt = manager.gcm_enc[BITS_256], manager.gcm_dec[BITS_256]
    _version = version()
    _manager = manager
    return NULL


cdef u32 mb_version() noexcept nogil:
    return _version


cdef const MbGcm* mb_gcm(int key_size) noexcept nogil:
    return &_gcm[1 if key_size == 32 else 0]


cdef size_t _key_room(bint gcm) noexcept nogil:
    if not gcm:
        return MB_CM_KEY_ROOM              # encryption's round keys, then decryption's, which nobody uses
    return MB_GCM_KEY_ROOM if _version < MB_LARGER_KEYS else MB_GCM_KEY_ROOM_LARGER


cdef u8* _room(bint gcm) noexcept nogil:
    cdef void* room = NULL
    cdef size_t size = _key_room(gcm)
    if posix_memalign(&room, ALIGNMENT, size) != 0:
        return NULL
    memset(room, 0, size)
    return <u8*>room


cdef u8* mb_gcm_key(int key_size, const u8* key) noexcept nogil:
    cdef u8* prepared = _room(True)
    if prepared != NULL:
        _manager.gcm_pre[BITS_256 if key_size == 32 else BITS_128](key, prepared)
    return prepared


cdef u8* mb_cm_key(const u8* key) noexcept nogil:
    cdef u8* prepared = _room(False)
    if prepared != NULL:
        _manager.keyexp_128(key, prepared, prepared + MB_AES_128_KEYS)
    return prepared


cdef void mb_key_free(u8* key, bint gcm) noexcept nogil:
    if key != NULL:
        OPENSSL_cleanse(key, _key_room(gcm))
        free(key)


cdef bint mb_begin() noexcept nogil:
    if _manager == NULL or not mb_take(&_batch.busy):
        return False
    _batch.count = 0
    _batch.failed = 0
    return True


cdef void _finish(MbJob* job) noexcept nogil:
    """Puts the tags of completed jobs where they belong."""
    cdef size_t place
    while job != NULL:
        place = <size_t>job.user_data
        if job.status == MB_COMPLETED:
            memcpy(_batch.where[place], _batch.tags[place], CM_TAG)
        else:
            _batch.results[place][0] = E_INTERNAL
            _batch.failed += 1
        job = _manager.get_completed_job(_manager)


cdef void _flush() noexcept nogil:
    cdef MbJob* job = _manager.flush_job(_manager)
    while job != NULL:
        _finish(job)
        job = _manager.flush_job(_manager)
    _batch.count = 0


cdef void mb_add(const u8* key, const HmacSha1* mac, const u8* iv, const u8* data, size_t size, u8* packet, u8* body,
                 size_t hashed, u8* tag, int* result) noexcept nogil:
    cdef MbJob* job
    cdef size_t place
    if _batch.count == MB_JOBS:
        _flush()
    place = _batch.count
    _batch.count += 1
    _batch.where[place] = tag
    _batch.results[place] = result
    memcpy(_batch.iv[place], iv, IV_SIZE)
    job = _manager.get_next_job(_manager)
    job.enc_keys = job.dec_keys = key
    job.key_size = 16
    job.src = data
    job.dst = body
    job.cipher_offset = 0
    job.cipher_size = size
    job.hash_offset = <u64>(<size_t>packet - <size_t>data)
    job.hash_size = hashed
    job.iv = _batch.iv[place]
    job.iv_size = IV_SIZE
    job.tag = _batch.tags[place]
    job.tag_size = TAG_ASKED
    job.hmac_inner = &mac.inner            # SHA_CTX begins with the five words
    job.hmac_outer = &mac.outer
    job.cipher_mode = MB_CIPHER_CNTR
    job.direction = MB_ENCRYPT
    job.hash = MB_HMAC_SHA1
    job.order = MB_CIPHER_THEN_HASH
    job.user_data = <void*>place
    _finish(_manager.submit_job_nocheck(_manager))


cdef int mb_end() noexcept nogil:
    cdef int failed
    _flush()
    failed = _batch.failed
    mb_give(&_batch.busy)
    return failed
