"""SRTP; the contract is in srtp.pxd.

A context prepares its keys once: per packet only the IV is set and nothing is allocated.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset

from simplestchat._native.core.bytes cimport get16, get32, get64, put32
from simplestchat._native.core.types cimport (
    E_AUTH, E_INTERNAL, E_LIMIT, E_MALFORMED, E_NOMEM, E_REPLAY, E_SHORT, E_SPACE, E_STATE, OK, u8, u16, u32, u64,
)
from simplestchat._native.crypto.hmacsha1 cimport SHA1_SIZE, hmac_sha1_key
from simplestchat._native.crypto.ipsecmb cimport mb_add, mb_begin, mb_cm_key, mb_end, mb_gcm, mb_gcm_key, mb_key_free
from simplestchat._native.crypto.openssl cimport OPENSSL_cleanse, SHA1_Final, SHA1_Init, SHA1_Update, SHA_CTX
from simplestchat._native.crypto.provided cimport PROVIDED_AES_128_CTR, PROVIDED_AES_128_GCM, PROVIDED_AES_256_GCM, provided
from simplestchat._native.crypto.srtp_cipher cimport (
    CM_TAG_SIZE, GCM_TAG_SIZE, CipherHalf, Clear, cm_crypt, cm_iv, cm_tag, cm_verify, gcm_iv, gcm_open, gcm_seal,
)
from simplestchat._native.crypto.srtp_context cimport SRTP_PACKET_MAX, SrtpContext
from simplestchat._native.crypto.srtp_kdf cimport (
    SRTP_AUTH_KEY_SIZE, SRTP_CM_SALT_SIZE, SRTP_GCM_SALT_SIZE, SrtpHalfKeys, SrtpSessionKeys, srtp_derive,
)
from simplestchat._native.crypto.srtp_replay cimport replay_guess, replay_look, replay_seen
from simplestchat._native.crypto.taint cimport taint_on, taint_record

cdef enum:
    RTP_HEADER_MIN = 12
    RTP_SSRC_AT = 8
    ROC_SIZE = 4
cdef u64 INDEX_MAX = 0xFFFFFFFFFFFF  # 48 bits: the key is used up behind it


cdef int srtp_key_size(int suite) noexcept nogil:
    if suite == SRTP_AES128_CM_SHA1_80 or suite == SRTP_AEAD_AES_128_GCM:
        return 16
    return 32 if suite == SRTP_AEAD_AES_256_GCM else 0


cdef int srtp_salt_size(int suite) noexcept nogil:
    if suite == SRTP_AEAD_AES_128_GCM or suite == SRTP_AEAD_AES_256_GCM:
        return SRTP_GCM_SALT_SIZE
    return SRTP_CM_SALT_SIZE if suite == SRTP_AES128_CM_SHA1_80 else 0


cdef int srtp_tag_size(int suite) noexcept nogil:
    if suite == SRTP_AEAD_AES_128_GCM or suite == SRTP_AEAD_AES_256_GCM:
        return GCM_TAG_SIZE
    return CM_TAG_SIZE if suite == SRTP_AES128_CM_SHA1_80 else 0


cdef u32 _mb_suites = 0              # a bit by suite: ipsec-mb does its work


cdef void srtp_prefer_mb(u32 suites) noexcept nogil:
    global _mb_suites
    _mb_suites = suites


cdef int _cipher(int suite) noexcept nogil:
    if suite == SRTP_AEAD_AES_128_GCM:
        return PROVIDED_AES_128_GCM
    return PROVIDED_AES_256_GCM if suite == SRTP_AEAD_AES_256_GCM else PROVIDED_AES_128_CTR


cdef int _prepare_mb(CipherHalf* half, int suite, const SrtpHalfKeys* keys) noexcept nogil:
    if suite == SRTP_AES128_CM_SHA1_80:
        half.mb_key = mb_cm_key(keys.key)
    else:
        half.mb_gcm = mb_gcm(srtp_key_size(suite))
        half.mb_key = mb_gcm_key(srtp_key_size(suite), keys.key)
    return OK if half.mb_key != NULL else E_NOMEM


cdef int _prepare(CipherHalf* half, int suite, const SrtpHalfKeys* keys, bint mb) noexcept nogil:
    memcpy(half.salt, keys.salt, srtp_salt_size(suite))
    if suite == SRTP_AES128_CM_SHA1_80:
        hmac_sha1_key(&half.mac, keys.auth, SRTP_AUTH_KEY_SIZE)
    if mb and _prepare_mb(half, suite, keys) != OK:
        return E_NOMEM
    if half.mb_gcm != NULL:
        return OK
    half.by = provided(_cipher(suite))
    half.cipher = half.by.newctx(half.by.provider)
    if half.cipher == NULL:
        return E_NOMEM
    return OK if half.by.encrypt_init(half.cipher, keys.key, srtp_key_size(suite), NULL, 0, NULL) == 1 else E_INTERNAL


cdef void _wipe(CipherHalf* half) noexcept nogil:
    if half.cipher != NULL:
        half.by.freectx(half.cipher)         # libcrypto wipes the key schedule
    mb_key_free(half.mb_key, half.mb_gcm != NULL)


cdef u64 _key_id(const SrtpHalfKeys* keys, int suite) noexcept nogil:
    cdef SHA_CTX hash
    cdef u8 digest[SHA1_SIZE]
    SHA1_Init(&hash)
    SHA1_Update(&hash, keys.key, srtp_key_size(suite))
    SHA1_Update(&hash, keys.salt, srtp_salt_size(suite))
    SHA1_Final(digest, &hash)
    OPENSSL_cleanse(&hash, sizeof(hash))
    return get64(digest)


cdef SrtpContext* srtp_from_session(int suite, const SrtpSessionKeys* keys) noexcept nogil:
    cdef SrtpContext* ctx
    if srtp_key_size(suite) == 0:
        return NULL
    ctx = <SrtpContext*>calloc(1, sizeof(SrtpContext))
    if ctx == NULL:
        return NULL
    ctx.gcm = suite != SRTP_AES128_CM_SHA1_80
    ctx.tag_size = srtp_tag_size(suite)
    ctx.key_id = _key_id(&keys.rtp, suite)
    if (_prepare(&ctx.rtp, suite, &keys.rtp, (_mb_suites >> suite) & 1) != OK
            or _prepare(&ctx.rtcp, suite, &keys.rtcp, False) != OK):
        srtp_free(ctx)
        return NULL
    return ctx


cdef SrtpContext* srtp_new(int suite, const u8* key, const u8* salt) noexcept nogil:
    cdef SrtpSessionKeys keys
    cdef SrtpContext* ctx = NULL
    if srtp_key_size(suite) == 0:
        return NULL
    memset(&keys, 0, sizeof(keys))
    if srtp_derive(srtp_key_size(suite), srtp_salt_size(suite), key, salt, &keys) == OK:
        ctx = srtp_from_session(suite, &keys)
    OPENSSL_cleanse(&keys, sizeof(keys))
    return ctx


cdef void srtp_free(SrtpContext* ctx) noexcept nogil:
    if ctx == NULL:
        return
    _wipe(&ctx.rtp)
    _wipe(&ctx.rtcp)
    free(ctx.sources)
    OPENSSL_cleanse(ctx, sizeof(SrtpContext))
    free(ctx)


cdef int srtp_note(SealJob* job, SrtpContext* ctx, u64 index, const u8* header, size_t header_size, const u8* prefix,
                   size_t prefix_size, const u8* payload, size_t payload_size, u8* out, size_t cap) noexcept nogil:
    cdef size_t clear_size = header_size + prefix_size + payload_size
    if header_size < RTP_HEADER_MIN:
        return E_SHORT
    if clear_size > SRTP_PACKET_MAX or clear_size + ctx.tag_size > cap:
        return E_SPACE
    if index > INDEX_MAX:
        return E_LIMIT
    if get16(header + 2) != <u16>index:
        return E_STATE
    job.ctx = ctx
    job.index = index
    job.header = header
    job.header_size = <u32>header_size
    job.prefix = prefix
    job.prefix_size = <u32>prefix_size
    job.payload = payload
    job.payload_size = <u32>payload_size
    job.padding = 0
    job.out = out
    job.size = <int>(clear_size + ctx.tag_size)
    return job.size


# Header, prefix and plaintext where the cipher wants them; where the plaintext lies.
cdef inline const u8* _lay_out(const SealJob* job) noexcept nogil:
    cdef u8* body = job.out + job.header_size
    if job.header != job.out:
        memcpy(job.out, job.header, job.header_size)
    if job.prefix_size == 0 and job.padding == 0:
        return job.payload
    # One run of the cipher over contiguous bytes is faster than two, even with the copy.
    if job.payload_size:
        memmove(body + job.prefix_size, job.payload, job.payload_size)
    if job.prefix_size:
        memcpy(body, job.prefix, job.prefix_size)
    if job.padding:
        _pad(body + job.prefix_size + job.payload_size, job.padding)
    return body


cdef inline void _pad(u8* out, u32 padding) noexcept nogil:
    """RFC 3550 section 5.1: the last byte says how many there are."""
    memset(out, 0, padding)
    out[padding - 1] = <u8>padding


cdef inline void _note_taint(const SealJob* job, const u8* plain, size_t size) noexcept nogil:
    if taint_on:
        taint_record(job.ctx.key_id, get32(job.out + RTP_SSRC_AT), job.index, job.out, job.header_size, NULL, 0, plain, size)


cdef int _seal_job(const SealJob* job) noexcept nogil:
    cdef SrtpContext* ctx = job.ctx
    cdef size_t size = job.prefix_size + job.payload_size + job.padding
    cdef u8* body = job.out + job.header_size
    cdef const u8* data = _lay_out(job)
    cdef u8 iv[16]
    cdef Clear clear
    _note_taint(job, data, size)
    if ctx.gcm:
        gcm_iv(iv, ctx.rtp.salt, get32(job.out + RTP_SSRC_AT), job.index)
        clear.first = job.out
        clear.first_size = job.header_size
        clear.second_size = 0
        return gcm_seal(&ctx.rtp, iv, &clear, data, size, body, body + size)
    cm_iv(iv, ctx.rtp.salt, get32(job.out + RTP_SSRC_AT), job.index)
    if cm_crypt(&ctx.rtp, iv, data, size, body) != OK:
        return E_INTERNAL
    # The ROC is authenticated but not sent: for the time of hashing it lies where the tag will.
    put32(body + size, <u32>(job.index >> 16))
    cm_tag(&ctx.rtp, job.out, job.header_size + size + ROC_SIZE, NULL, 0, body + size)
    return OK


# Adds a packet of AES-CM to the batch of ipsec-mb.
cdef void _add_job(SealJob* job) noexcept nogil:
    cdef CipherHalf* half = &job.ctx.rtp
    cdef size_t size = job.prefix_size + job.payload_size + job.padding
    cdef u8* body = job.out + job.header_size
    cdef const u8* data = _lay_out(job)
    cdef u8 iv[16]
    _note_taint(job, data, size)
    cm_iv(iv, half.salt, get32(job.out + RTP_SSRC_AT), job.index)
    put32(body + size, <u32>(job.index >> 16))
    mb_add(half.mb_key, &half.mac, iv, data, size, job.out, body, job.header_size + size + ROC_SIZE, body + size, &job.size)


cdef int srtp_seal_many(SealJob* jobs, int count) noexcept nogil:
    cdef int i
    cdef int failed = 0
    # One packet alone would fill one lane of many: it costs more than libcrypto takes.
    cdef bint batch = count > 1 and _mb_suites >> SRTP_AES128_CM_SHA1_80 & 1 and mb_begin()
    for i in range(count):
        if batch and not jobs[i].ctx.gcm and jobs[i].ctx.rtp.mb_key != NULL and jobs[i].prefix_size + jobs[i].payload_size:
            _add_job(&jobs[i])
        elif _seal_job(&jobs[i]) != OK:
            jobs[i].size = E_INTERNAL
            failed += 1
    return failed + mb_end() if batch else failed


cdef int srtp_seal(SrtpContext* ctx, u64 index, const u8* header, size_t header_size, const u8* prefix, size_t prefix_size,
                   const u8* payload, size_t payload_size, u8* out, size_t cap) noexcept nogil:
    cdef SealJob job
    cdef int size = srtp_note(&job, ctx, index, header, header_size, prefix, prefix_size, payload, payload_size, out, cap)
    if size > 0 and _seal_job(&job) != OK:
        return E_INTERNAL
    return size


# Opens as packet `index`. E_AUTH when it is another one or forged.
cdef int _open_at(SrtpContext* ctx, u64 index, const u8* data, size_t sealed, size_t header_size, u8* out) noexcept nogil:
    cdef size_t body = sealed - header_size
    cdef u8 iv[16]
    cdef u8 roc[ROC_SIZE]
    cdef Clear clear
    if ctx.gcm:
        gcm_iv(iv, ctx.rtp.salt, get32(data + RTP_SSRC_AT), index)
        clear.first = data
        clear.first_size = header_size
        clear.second_size = 0
        return gcm_open(&ctx.rtp, iv, &clear, data + header_size, body, data + sealed, out + header_size)
    put32(roc, <u32>(index >> 16))
    if cm_verify(&ctx.rtp, data, sealed, roc, ROC_SIZE, data + sealed) != OK:
        return E_AUTH
    cm_iv(iv, ctx.rtp.salt, get32(data + RTP_SSRC_AT), index)
    return cm_crypt(&ctx.rtp, iv, data + header_size, body, out + header_size)


cdef int srtp_open(SrtpContext* ctx, SrtpRecvState* state, const u8* data, size_t size, size_t header_size,
                   u8* out, size_t cap, u64* index_out) noexcept nogil:
    cdef u64 index
    cdef size_t sealed
    cdef int result
    if header_size < RTP_HEADER_MIN or size < header_size + ctx.tag_size:
        return E_SHORT
    sealed = size - ctx.tag_size
    if size > SRTP_PACKET_MAX:
        return E_MALFORMED
    if sealed > cap:
        return E_SPACE
    if state.begun:
        if replay_guess(state.highest, get16(data + 2), &index) != OK:
            return E_REPLAY
        if replay_look(state.window, SRTP_WINDOW_WORDS, state.highest, index) != OK:
            return E_REPLAY
        result = _open_at(ctx, index, data, sealed, header_size, out)
    else:
        index = get16(data + 2)
        result = _open_at(ctx, index, data, sealed, header_size, out)
        if result == E_AUTH:
            # The source may have begun near 65535 and rolled over before anything of it arrived.
            index += 0x10000
            result = _open_at(ctx, index, data, sealed, header_size, out)
    if result != OK:
        return result
    memcpy(out, data, header_size)
    if not state.begun:
        memset(state, 0, sizeof(SrtpRecvState))
        state.begun = 1
        state.highest = index
    state.highest = replay_seen(state.window, SRTP_WINDOW_WORDS, state.highest, index)
    index_out[0] = index
    return <int>sealed
