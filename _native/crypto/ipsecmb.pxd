# ipsec-mb, when the machine has it: AES-GCM for less than libcrypto takes, and AES-CM with HMAC-SHA1 over several packets at once.
#
# The library is loaded by mb_open, never linked. A batch belongs to one thread at a time: mb_begin refuses a second one. Keys are
# prepared once, aligned as the library wants them, and wiped by mb_key_free.
from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.crypto.hmacsha1 cimport HmacSha1

cdef extern from "crypto/ipsecmb.h" nogil:
    enum:
        MB_GCM_STATE
    ctypedef void (*mb_gcm_fn)(const void* key, void* state, u8* out, const u8* data, u64 size, const u8* iv,
                               const u8* clear, u64 clear_size, u8* tag, u64 tag_size) noexcept nogil

# AES-GCM of one key size. `state` is room of MB_GCM_STATE bytes.
cdef struct MbGcm:
    mb_gcm_fn encrypt
    mb_gcm_fn decrypt

# NULL once the library is loaded and works on this processor, else why not.
cdef const char* mb_open() noexcept nogil
cdef u32 mb_version() noexcept nogil                                  # as 0x10300 for 1.3.0; 0 while it is not loaded
cdef const MbGcm* mb_gcm(int key_size) noexcept nogil                 # for keys of 16 or 32 bytes
cdef u8* mb_gcm_key(int key_size, const u8* key) noexcept nogil       # NULL without memory
cdef u8* mb_cm_key(const u8* key) noexcept nogil                      # AES-128's round keys; NULL without memory
cdef void mb_key_free(u8* key, bint gcm) noexcept nogil               # NULL is fine

# A batch: begin (False: not now), add packets, end. Everything that is pointed at stays as it is until the end.
# `packet` is plain up to `body`, where the ciphertext of `size` (> 0) bytes of `data` goes; the HMAC is over `hashed` bytes from
# `packet` on, of which those behind the ciphertext are there already; its first CM_TAG bytes then go to `tag`, which may lie among them.
# A packet that fails has E_INTERNAL put into *result. The end says how many did.
cdef bint mb_begin() noexcept nogil
cdef void mb_add(const u8* key, const HmacSha1* mac, const u8* iv, const u8* data, size_t size, u8* packet, u8* body,
                 size_t hashed, u8* tag, int* result) noexcept nogil
cdef int mb_end() noexcept nogil
