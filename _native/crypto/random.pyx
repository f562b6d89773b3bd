"""Unpredictable but reproducible bytes; see random.pxd."""

from libc.string cimport memset

from simplestchat._native.core.types cimport E_INTERNAL, OK, u32, u8
from simplestchat._native.crypto.openssl cimport (
    EVP_chacha20, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new, EVP_EncryptInit_ex, EVP_EncryptUpdate,
)

cdef const char* ICE_CHARS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


cdef int csprng_init(Csprng* r, const u8* seed) noexcept nogil:
    cdef u8 nonce[16]
    memset(nonce, 0, 16)
    r.ctx = EVP_CIPHER_CTX_new()
    if r.ctx == NULL:
        return E_INTERNAL
    return OK if EVP_EncryptInit_ex(r.ctx, EVP_chacha20(), NULL, seed, nonce) == 1 else E_INTERNAL


cdef void csprng_free(Csprng* r) noexcept nogil:
    EVP_CIPHER_CTX_free(r.ctx)
    r.ctx = NULL


cdef void csprng_bytes(Csprng* r, u8* out, int size) noexcept nogil:
    cdef int written = 0
    memset(out, 0, size)
    EVP_EncryptUpdate(r.ctx, out, &written, out, size)


cdef u32 csprng_u32(Csprng* r) noexcept nogil:
    cdef u32 value = 0
    csprng_bytes(r, <u8*>&value, 4)
    return value


cdef void csprng_ice_chars(Csprng* r, char* out, int size) noexcept nogil:
    cdef int i
    csprng_bytes(r, <u8*>out, size)
    for i in range(size):
        out[i] = ICE_CHARS[(<u8>out[i]) & 63]
