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


cdef int srtp_prf(const u8* key, size_t key_size, const u8* salt, size_t salt_size, u8 label, u8* out, size_t size) noexcept nogil:
    cdef u8 iv[16]
    cdef int written = 0
    cdef int good
    cdef EVP_CIPHER_CTX* ctx = EVP_CIPHER_CTX_new()
    if ctx == NULL:
        return E_INTERNAL
    memset(iv, 0, 16)
    memcpy(iv, salt, salt_size)      # a 12-byte AEAD salt is followed by zeros (RFC 7714 section 11)
    iv[LABEL_AT] ^= label
    memset(out, 0, size)
    good = EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr() if key_size == 32 else EVP_aes_128_ctr(), NULL, key, iv) == 1
    good = good and EVP_EncryptUpdate(ctx, out, &written, out, <int>size) == 1
    EVP_CIPHER_CTX_free(ctx)
    OPENSSL_cleanse(iv, 16)
    return OK if good else E_INTERNAL


cdef int srtp_derive(int key_size, int salt_size, const u8* key, const u8* salt, SrtpSessionKeys* out) noexcept nogil:
    cdef SrtpHalfKeys* half
    cdef int failed = OK
    cdef int i
    for i in range(2):
        half = &out.rtcp if i else &out.rtp
        failed |= srtp_prf(key, key_size, salt, salt_size, i * LABELS + LABEL_KEY, half.key, key_size)
        failed |= srtp_prf(key, key_size, salt, salt_size, i * LABELS + LABEL_AUTH, half.auth, SRTP_AUTH_KEY_SIZE)
        failed |= srtp_prf(key, key_size, salt, salt_size, i * LABELS + LABEL_SALT, half.salt, salt_size)
    return OK if failed == OK else E_INTERNAL
