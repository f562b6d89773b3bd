"""MESSAGE-INTEGRITY of STUN; the contract is in stunauth.pxd."""

from simplestchat._native.core.bytes cimport get16, put16, put32
from simplestchat._native.core.types cimport E_AUTH, E_SHORT, E_SPACE, OK, u8
from simplestchat._native.crypto.hmacsha1 cimport HmacSha1, SHA1_SIZE, hmac_sha1_end, hmac_sha1_key
from simplestchat._native.crypto.openssl cimport CRYPTO_memcmp, OPENSSL_cleanse, SHA1_Update, SHA_CTX
from simplestchat._native.wire.stun cimport STUN_HEADER_SIZE, StunView, stun_fingerprint

cdef enum:
    ATTR_INTEGRITY = 0x0008
    ATTR_FINGERPRINT = 0x8028
    INTEGRITY_SIZE = 24          # attribute header and HMAC-SHA1
    FINGERPRINT_SIZE = 8
    LENGTH_AT = 2                # of the length field in the header


# The HMAC covers everything before MESSAGE-INTEGRITY, with a header length that ends after it (RFC 8489 section 14.5).
cdef void _integrity(const u8* data, size_t covered, const u8* key, size_t key_len, u8* out) noexcept nogil:
    cdef HmacSha1 mac
    cdef SHA_CTX hash
    cdef u8 length[2]
    hmac_sha1_key(&mac, key, key_len)
    hash = mac.inner
    put16(length, <unsigned short>(covered + INTEGRITY_SIZE - STUN_HEADER_SIZE))
    SHA1_Update(&hash, data, LENGTH_AT)
    SHA1_Update(&hash, length, 2)
    SHA1_Update(&hash, data + LENGTH_AT + 2, covered - LENGTH_AT - 2)
    hmac_sha1_end(&mac, &hash, out)
    OPENSSL_cleanse(&mac, sizeof(mac))


cdef int stun_verify(const u8* data, size_t size, const StunView* view, const u8* key, size_t key_len) noexcept nogil:
    cdef u8 expected[SHA1_SIZE]
    cdef size_t at = view.integrity_off
    if at < STUN_HEADER_SIZE or at + INTEGRITY_SIZE > size:
        return E_AUTH
    if get16(data + at) != ATTR_INTEGRITY or get16(data + at + 2) != SHA1_SIZE:
        return E_AUTH
    _integrity(data, at, key, key_len, expected)
    return OK if CRYPTO_memcmp(expected, data + at + 4, SHA1_SIZE) == 0 else E_AUTH


cdef int stun_seal(u8* data, size_t size, size_t cap, const u8* key, size_t key_len) noexcept nogil:
    cdef size_t whole = size + INTEGRITY_SIZE + FINGERPRINT_SIZE
    cdef u8* at = data + size
    if size < STUN_HEADER_SIZE:
        return E_SHORT
    if whole > cap or whole - STUN_HEADER_SIZE > 0xFFFF:
        return E_SPACE
    put16(at, ATTR_INTEGRITY)
    put16(at + 2, SHA1_SIZE)
    _integrity(data, size, key, key_len, at + 4)
    put16(data + LENGTH_AT, <unsigned short>(whole - STUN_HEADER_SIZE))
    at += INTEGRITY_SIZE
    put16(at, ATTR_FINGERPRINT)
    put16(at + 2, 4)
    put32(at + 4, stun_fingerprint(data, size + INTEGRITY_SIZE))
    return <int>whole
