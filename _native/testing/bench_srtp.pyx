"""Loops over SRTP sealing and opening that stay in C, and the floor: libcrypto alone over the same bytes."""

from cython cimport final
from libc.string cimport memset

from simplestchat._native.core.bytes cimport put16, put32
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport E_INTERNAL, OK, u8, u16, u64
from simplestchat._native.crypto.openssl cimport (
    EVP_aes_128_ctr, EVP_aes_128_gcm, EVP_aes_256_gcm, EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free,
    EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG, EVP_EncryptFinal_ex, EVP_EncryptInit_ex, EVP_EncryptUpdate, SHA1_Final,
    SHA1_Init, SHA1_Update, SHA_CTX,
)
from simplestchat._native.crypto.srtp cimport (
    SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SrtpContext, SrtpRecvState, srtp_free, srtp_new, srtp_open,
    srtp_seal, srtp_tag_size,
)

cdef enum:
    HEADER = 12
    ROOM = 2048
    BATCH = 256          # packets that are sealed once to be opened over and over


@final
cdef class SrtpBench:
    """One suite, one payload size."""

    cdef SrtpContext* ctx
    cdef EVP_CIPHER_CTX* bare
    cdef SHA_CTX inner
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

    cdef bint _bare_gcm(self, const u8* iv) noexcept nogil:
        cdef int n = 0
        cdef u8* body = self.out + HEADER
        return (
            EVP_EncryptInit_ex(self.bare, NULL, NULL, NULL, iv) == 1
            and EVP_EncryptUpdate(self.bare, NULL, &n, self.plain, HEADER) == 1
            and EVP_EncryptUpdate(self.bare, body, &n, self.plain + HEADER, <int>self.size) == 1
            and EVP_EncryptFinal_ex(self.bare, body + self.size, &n) == 1
            and EVP_CIPHER_CTX_ctrl(self.bare, EVP_CTRL_AEAD_GET_TAG, 16, body + self.size) == 1
        )

    cdef bint _bare_cm(self, const u8* iv) noexcept nogil:
        cdef SHA_CTX hash = self.inner
        cdef int n = 0
        cdef u8 digest[20]
        cdef bint good = EVP_EncryptInit_ex(self.bare, NULL, NULL, NULL, iv) == 1
        good = good and EVP_EncryptUpdate(self.bare, self.out + HEADER, &n, self.plain + HEADER, <int>self.size) == 1
        SHA1_Update(&hash, self.out, HEADER + self.size + 4)
        SHA1_Final(digest, &hash)
        hash = self.inner
        SHA1_Update(&hash, digest, 20)
        SHA1_Final(self.out + HEADER + self.size, &hash)
        return good

    def floor(self, int packets):
        """Encrypt and authenticate that many packets with libcrypto and nothing else."""
        cdef u8 iv[16]
        cdef int i, failed = 0
        memset(iv, 0, 16)
        with nogil:
            for i in range(packets):
                put32(iv + 4, i)
                failed |= not (self._bare_cm(iv) if self.suite == SRTP_AES128_CM_SHA1_80 else self._bare_gcm(iv))
        if failed:
            raise_status(E_INTERNAL, "cipher")
