# HMAC-SHA1 (RFC 2104) with the key's two blocks hashed once: a packet copies the states and allocates nothing.
from libc.string cimport memcpy, memset
from simplestchat._native.core.types cimport u8
from simplestchat._native.crypto.openssl cimport OPENSSL_cleanse, SHA1_Final, SHA1_Init, SHA1_Update, SHA_CTX

cdef enum:
    SHA1_BLOCK = 64
    SHA1_SIZE = 20

cdef struct HmacSha1:
    SHA_CTX inner            # after the key's inner block
    SHA_CTX outer            # after the key's outer block

cdef inline void hmac_sha1_key(HmacSha1* mac, const u8* key, size_t size) noexcept nogil:
    cdef u8 block[SHA1_BLOCK]
    cdef SHA_CTX hash
    cdef int i
    memset(block, 0, SHA1_BLOCK)
    if size > SHA1_BLOCK:
        SHA1_Init(&hash)
        SHA1_Update(&hash, key, size)
        SHA1_Final(block, &hash)
    elif size:
        memcpy(block, key, size)
    for i in range(SHA1_BLOCK):
        block[i] ^= 0x36
    SHA1_Init(&mac.inner)
    SHA1_Update(&mac.inner, block, SHA1_BLOCK)
    for i in range(SHA1_BLOCK):
        block[i] ^= 0x36 ^ 0x5C
    SHA1_Init(&mac.outer)
    SHA1_Update(&mac.outer, block, SHA1_BLOCK)
    OPENSSL_cleanse(block, SHA1_BLOCK)

# Ends the message hashed in `hash`, which began as a copy of mac.inner; SHA1_SIZE bytes to `out`.
cdef inline void hmac_sha1_end(const HmacSha1* mac, SHA_CTX* hash, u8* out) noexcept nogil:
    cdef u8 inner[SHA1_SIZE]
    SHA1_Final(inner, hash)
    hash[0] = mac.outer
    SHA1_Update(hash, inner, SHA1_SIZE)
    SHA1_Final(out, hash)
