"""SRTP key derivation; the contract is in srtp_kdf.pxd."""

from libc.string cimport memcpy, memset

from simplestchat._native.core.types cimport E_INTERNAL, OK, u8
from simplestchat._native.crypto.openssl cimport (
    EVP_aes_128_ctr, EVP_aes_256_ctr, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new, EVP_EncryptInit_ex,
    EVP_EncryptUpdate, OPENSSL_cleanse,
)

cdef enum:
    LABEL_AT = 7             # of the label in the 14 bytes of salt: the derivation index below it is 0
    LABEL_KEY = 0
    LABEL_AUTH = 1
    LABEL_SALT = 2
    LABELS = 3               # of the RTP half; the RTCP half's follow


cdef EVP_CIPHER_CTX* _keyed(const u8* key, size_t size) noexcept nogil:
    """NULL when libcrypto failed."""
    cdef EVP_CIPHER_CTX* ctx = EVP_CIPHER_CTX_new()
    if ctx != NULL and EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr() if size == 32 else EVP_aes_128_ctr(), NULL, key, NULL) != 1:
        EVP_CIPHER_CTX_free(ctx)
        ctx = NULL
    return ctx


cdef int _prf(EVP_CIPHER_CTX* ctx, const u8* salt, size_t salt_size, u8 label, u8* out, size_t size) noexcept nogil:
    cdef u8 iv[16]
    cdef int written = 0
    cdef bint good
    memset(iv, 0, 16)
    memcpy(iv, salt, salt_size)      # a 12-byte AEAD salt is followed by zeros (RFC 7714 section 11)
    iv[LABEL_AT] ^= label
    memset(out, 0, size)
    good = EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) == 1 and EVP_EncryptUpdate(ctx, out, &written, out, <int>size) == 1
    OPENSSL_cleanse(iv, 16)
    return OK if good else E_INTERNAL


cdef int srtp_prf(const u8* key, size_t key_size, const u8* salt, size_t salt_size, u8 label, u8* out, size_t size) noexcept nogil:
    cdef EVP_CIPHER_CTX* ctx = _keyed(key, key_size)
    cdef int result = E_INTERNAL if ctx == NULL else _prf(ctx, salt, salt_size, label, out, size)
    EVP_CIPHER_CTX_free(ctx)
    return result


cdef int srtp_derive(int key_size, int salt_size, const u8* key, const u8* salt, SrtpSessionKeys* out) noexcept nogil:
    cdef EVP_CIPHER_CTX* ctx = _keyed(key, key_size)
    cdef SrtpHalfKeys* half
    cdef int failed = OK
    cdef int i
    if ctx == NULL:
        return E_INTERNAL
    for i in range(2):
        half = &out.rtcp if i else &out.rtp
        failed |= _prf(ctx, salt, salt_size, i * LABELS + LABEL_KEY, half.key, key_size)
        failed |= _prf(ctx, salt, salt_size, i * LABELS + LABEL_AUTH, half.auth, SRTP_AUTH_KEY_SIZE)
        failed |= _prf(ctx, salt, salt_size, i * LABELS + LABEL_SALT, half.salt, salt_size)
    EVP_CIPHER_CTX_free(ctx)
    return OK if failed == OK else E_INTERNAL
