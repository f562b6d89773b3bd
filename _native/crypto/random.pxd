# Unpredictable but reproducible bytes: the ChaCha20 keystream of a 32-byte seed. ICE passwords and SSRCs come from here, so
# a generator whose state can be told from its output will not do.
from simplestchat._native.core.types cimport u32, u8
from simplestchat._native.crypto.openssl cimport EVP_CIPHER_CTX

cdef struct Csprng:
    EVP_CIPHER_CTX* ctx

cdef int csprng_init(Csprng* r, const u8* seed) noexcept nogil       # 32 bytes; OK or E_INTERNAL
cdef void csprng_free(Csprng* r) noexcept nogil
cdef void csprng_bytes(Csprng* r, u8* out, int size) noexcept nogil
cdef u32 csprng_u32(Csprng* r) noexcept nogil
# Characters of RFC 8445's ice-char alphabet, 6 bits each.
cdef void csprng_ice_chars(Csprng* r, char* out, int size) noexcept nogil
