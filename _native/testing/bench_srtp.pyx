"""Loops over SRTP sealing and opening that stay in C, and their floors: libcrypto or ipsec-mb alone over the same bytes."""

from cython cimport final
from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport put16, put32
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport E_INTERNAL, OK, u8, u16, u64
from simplestchat._native.crypto.openssl cimport (
    EVP_aes_128_ctr, EVP_aes_128_gcm, EVP_aes_256_gcm, EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free,
    EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG, EVP_EncryptFinal_ex, EVP_EncryptInit_ex, EVP_EncryptUpdate, SHA1_Final,
    SHA1_Init, SHA1_Update, SHA_CTX,
)
from simplestchat._native.crypto.hmacsha1 cimport HmacSha1, hmac_sha1_key
from simplestchat._native.crypto.ipsecmb cimport (
    MB_GCM_STATE, MbGcm, mb_add, mb_begin, mb_cm_key, mb_end, mb_gcm, mb_gcm_key, mb_key_free, mb_open,
)
from simplestchat._native.crypto.srtp cimport (
    SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SealJob, SrtpContext, SrtpRecvState, srtp_free, srtp_key_size, srtp_new,
    srtp_note, srtp_open, srtp_seal, srtp_seal_many, srtp_tag_size,
)

cdef enum:
    HEADER = 12
    ROOM = 2048
    BATCH = 256          # packets that are sealed once to be opened over and over
    TOGETHER = 32        # packets that the engine seals together


@final
cdef class SrtpBench:
    """One suite, one payload size, with the library that was chosen (crypto/srtp_backend)."""

    cdef SrtpContext* ctx
    cdef EVP_CIPHER_CTX* bare
    cdef SHA_CTX inner
    cdef HmacSha1 mac
    cdef u8* mb_key
    cdef SealJob jobs[TOGETHER]
    cdef u8 batch[TOGETHER][ROOM]
    cdef int suite
    cdef size_t size
    cdef u64 index
    cdef u8 plain[ROOM]
    cdef u8 out[ROOM]
    cdef u8 sealed[BATCH][ROOM]

    def __cinit__(self, int suite, size_t payload_size):
        cdef u8 key[32]
        cdef int i
        if payload_size + HEADER + 32 > ROOM:
            raise ValueError("too large a payload")
        memset(key, 7, sizeof(key))
        memset(self.plain, 0x5A, ROOM)
        self.plain[0] = 0x80
        self.suite = suite
        self.size = payload_size
        self.ctx = srtp_new(suite, key, key)
        self.bare = EVP_CIPHER_CTX_new()
        if self.ctx == NULL or self.bare == NULL:
            raise_status(E_INTERNAL, "SRTP context")
        if suite == SRTP_AES128_CM_SHA1_80:
            EVP_EncryptInit_ex(self.bare, EVP_aes_128_ctr(), NULL, key, key)
        else:
            EVP_EncryptInit_ex(self.bare, EVP_aes_128_gcm() if suite == SRTP_AEAD_AES_128_GCM else EVP_aes_256_gcm(),
                               NULL, key, key)
        SHA1_Init(&self.inner)
        SHA1_Update(&self.inner, self.plain, 64)
        for i in range(BATCH):
            put16(self.plain + 2, <u16>i)
            if self._seal(i, self.sealed[i]) < 0:
                raise_status(E_INTERNAL, "SRTP packet")
        self.index = BATCH

    def __dealloc__(self):
        srtp_free(self.ctx)
        EVP_CIPHER_CTX_free(self.bare)
        mb_key_free(self.mb_key, self.suite != SRTP_AES128_CM_SHA1_80)

    cdef int _seal(self, u64 index, u8* out) noexcept nogil:
        return srtp_seal(self.ctx, index, self.plain, HEADER, NULL, 0, self.plain + HEADER, self.size, out, ROOM)

    def seal(self, int packets):
        """Seal that many packets."""
        cdef int i, failed = 0
        with nogil:
            for i in range(packets):
                put16(self.plain + 2, <u16>self.index)
                failed |= self._seal(self.index, self.out) < 0
                self.index += 1
        if failed:
            raise_status(E_INTERNAL, "SRTP packet")

    def seal_batch(self, int packets):
        """Seal that many packets, TOGETHER at a time as the engine does."""
        cdef int i, k, failed = 0
        with nogil:
            for i in range(packets // TOGETHER):
                for k in range(TOGETHER):
                    put16(self.plain + 2, <u16>self.index)
                    memcpy(self.batch[k], self.plain, HEADER)
                    failed |= srtp_note(&self.jobs[k], self.ctx, self.index, self.batch[k], HEADER, NULL, 0, self.plain + HEADER,
                                        self.size, self.batch[k], ROOM) < 0
                    self.index += 1
                failed |= srtp_seal_many(self.jobs, TOGETHER)
        if failed:
            raise_status(E_INTERNAL, "SRTP packet")

    def open(self, int packets):
        """Open that many packets; a receiver begins anew with each batch, so that none is a repeat."""
        cdef SrtpRecvState state
        cdef int i, failed = 0
        cdef u64 index = 0
        cdef size_t size = HEADER + self.size + srtp_tag_size(self.suite)
        with nogil:
            for i in range(packets):
                if i % BATCH == 0:
                    memset(&state, 0, sizeof(state))
                failed |= srtp_open(self.ctx, &state, self.sealed[i % BATCH], size, HEADER, self.out, ROOM, &index) < 0
        if failed:
            raise_status(E_INTERNAL, "SRTP packet")

    cdef bint _bare_gcm(self, const u8* iv, u8* out) noexcept nogil:
        cdef int n = 0
        cdef u8* body = out + HEADER
        return (
            EVP_EncryptInit_ex(self.bare, NULL, NULL, NULL, iv) == 1
            and EVP_EncryptUpdate(self.bare, NULL, &n, self.plain, HEADER) == 1
            and EVP_EncryptUpdate(self.bare, body, &n, self.plain + HEADER, <int>self.size) == 1
            and EVP_EncryptFinal_ex(self.bare, body + self.size, &n) == 1
            and EVP_CIPHER_CTX_ctrl(self.bare, EVP_CTRL_AEAD_GET_TAG, 16, body + self.size) == 1
        )

    cdef bint _bare_cm(self, const u8* iv, u8* out) noexcept nogil:
        cdef SHA_CTX hash = self.inner
        cdef int n = 0
        cdef u8 digest[20]
        cdef bint good = EVP_EncryptInit_ex(self.bare, NULL, NULL, NULL, iv) == 1
        good = good and EVP_EncryptUpdate(self.bare, out + HEADER, &n, self.plain + HEADER, <int>self.size) == 1
        SHA1_Update(&hash, out, HEADER + self.size + 4)
        SHA1_Final(digest, &hash)
        hash = self.inner
        SHA1_Update(&hash, digest, 20)
        SHA1_Final(out + HEADER + self.size, &hash)
        return good

    cdef int _prepare_mb(self) except -1:
        cdef u8 key[32]
        memset(key, 7, 32)
        if mb_open() != NULL:
            raise_status(E_INTERNAL, "ipsec-mb")
        hmac_sha1_key(&self.mac, key, 20)
        if self.suite == SRTP_AES128_CM_SHA1_80:
            self.mb_key = mb_cm_key(key)
        else:
            self.mb_key = mb_gcm_key(srtp_key_size(self.suite), key)
        return 0

    cdef int _bare_mb_cm(self, int packets) noexcept nogil:
        cdef u8 iv[16]
        cdef int i, k, result, failed = 0
        memset(iv, 0, 16)
        for i in range(packets // TOGETHER):
            if not mb_begin():
                return 1
            for k in range(TOGETHER):
                put32(iv + 4, i * TOGETHER + k)
                mb_add(self.mb_key, &self.mac, iv, self.plain + HEADER, self.size, self.batch[k], self.batch[k] + HEADER,
                       HEADER + self.size + 4, self.batch[k] + HEADER + self.size, &result)
            failed |= mb_end()
        return failed

    def floor_mb(self, int packets):
        """Encrypt and authenticate that many packets with ipsec-mb and nothing else, AES-CM as many together as the engine does."""
        cdef u8 iv[16]
        cdef u8 state[MB_GCM_STATE]
        cdef const MbGcm* gcm
        cdef int i, failed = 0
        if self.mb_key == NULL:
            self._prepare_mb()
        memset(iv, 0, 16)
        gcm = mb_gcm(srtp_key_size(self.suite))
        with nogil:
            if self.suite == SRTP_AES128_CM_SHA1_80:
                failed = self._bare_mb_cm(packets)
            else:
                for i in range(packets):
                    put32(iv + 4, i)
                    gcm.encrypt(self.mb_key, state, self.batch[i % TOGETHER] + HEADER, self.plain + HEADER, self.size, iv, self.plain,
                                HEADER, self.batch[i % TOGETHER] + HEADER + self.size, 16)
        if failed:
            raise_status(E_INTERNAL, "cipher")

    def floor(self, int packets):
        """Encrypt and authenticate that many packets with libcrypto and nothing else, through EVP."""
        cdef u8 iv[16]
        cdef u8* out
        cdef int i, failed = 0
        memset(iv, 0, 16)
        with nogil:
            for i in range(packets):
                put32(iv + 4, i)
                out = self.batch[i % TOGETHER]
                failed |= not (self._bare_cm(iv, out) if self.suite == SRTP_AES128_CM_SHA1_80 else self._bare_gcm(iv, out))
        if failed:
            raise_status(E_INTERNAL, "cipher")
