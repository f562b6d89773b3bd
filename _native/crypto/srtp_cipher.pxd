# The two transforms of SRTP over prepared keys: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1 (RFC 3711). Per packet only the IV
# is set; nothing is allocated. Header-only, so that it is compiled into its one user.
#
# libcrypto does all of it, or ipsec-mb the RTP half's AES-GCM (its batches of AES-CM are in crypto/ipsecmb). SRTCP is always libcrypto's:
# it is one packet in hundreds, and may authenticate bytes of two places.
from libc.string cimport memcpy, memset
from simplestchat._native.core.bytes cimport get32, put32
from simplestchat._native.core.types cimport E_AUTH, E_INTERNAL, OK, u8, u16, u32, u64
from simplestchat._native.crypto.hmacsha1 cimport HmacSha1, SHA1_SIZE, hmac_sha1_end
from simplestchat._native.crypto.ipsecmb cimport MB_GCM_STATE, MbGcm
from simplestchat._native.crypto.openssl cimport (
    CRYPTO_memcmp, OSSL_CIPHER_PARAM_AEAD_TAG, OSSL_PARAM, OSSL_PARAM_OCTET_STRING, SHA1_Update, SHA_CTX,
)
from simplestchat._native.crypto.provided cimport ProvidedCipher

cdef enum:
    GCM_TAG_SIZE = 16
    CM_TAG_SIZE = 10

    GCM_IV_SIZE = 12
    CM_IV_SIZE = 16

# RTP or RTCP of one context.
cdef struct CipherHalf:
    const ProvidedCipher* by # libcrypto's cipher, NULL where ipsec-mb does all
    void* cipher             # its context
    u8* mb_key               # ipsec-mb's prepared key, NULL where libcrypto does all
    const MbGcm* mb_gcm
    HmacSha1 mac             # AES-CM only
    u8 salt[16]              # zero behind the session salt

# Bytes that are authenticated and not encrypted, in two pieces.
cdef struct Clear:
    const u8* first
    size_t first_size
    const u8* second         # the SRTCP index, or the ROC that is authenticated but not sent
    size_t second_size

# RFC 7714 section 8.1: two zero bytes, SSRC, 48-bit index.
cdef inline void gcm_iv(u8* iv, const u8* salt, u32 ssrc, u64 index) noexcept nogil:
    iv[0] = salt[0]
    iv[1] = salt[1]
    put32(iv + 2, get32(salt + 2) ^ ssrc)
    put32(iv + 6, get32(salt + 6) ^ <u32>(index >> 16))
    iv[10] = salt[10] ^ <u8>(index >> 8)
    iv[11] = salt[11] ^ <u8>index

# RFC 3711 section 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16, the low 16 bits count blocks.
cdef inline void cm_iv(u8* iv, const u8* salt, u32 ssrc, u64 index) noexcept nogil:
    memcpy(iv, salt, 4)
    put32(iv + 4, get32(salt + 4) ^ ssrc)
    put32(iv + 8, get32(salt + 8) ^ <u32>(index >> 16))
    iv[12] = salt[12] ^ <u8>(index >> 8)
    iv[13] = salt[13] ^ <u8>index
    iv[14] = 0
    iv[15] = 0

# The list of parameters that has one: the tag.
cdef inline void gcm_tag_parameter(OSSL_PARAM* list, u8* tag) noexcept nogil:
    list[0].key = OSSL_CIPHER_PARAM_AEAD_TAG
    list[0].data_type = OSSL_PARAM_OCTET_STRING
    list[0].data = tag
    list[0].data_size = GCM_TAG_SIZE
    list[0].return_size = 0
    list[1].key = NULL

cdef inline bint gcm_run(const CipherHalf* half, const Clear* clear, const u8* data, size_t size, u8* out) noexcept nogil:
    cdef size_t n = 0
    cdef bint good = half.by.update(half.cipher, NULL, &n, clear.first_size, clear.first, clear.first_size) == 1
    if clear.second_size:
        good = good and half.by.update(half.cipher, NULL, &n, clear.second_size, clear.second, clear.second_size) == 1
    if size:
        good = good and half.by.update(half.cipher, out, &n, size, data, size) == 1
    return good

cdef inline int gcm_seal(const CipherHalf* half, const u8* iv, const Clear* clear, const u8* data, size_t size, u8* out,
                         u8* tag) noexcept nogil:
    cdef OSSL_PARAM wanted[2]
    cdef u8 state[MB_GCM_STATE]
    cdef size_t n = 0
    cdef bint good
    if half.mb_gcm != NULL:
        half.mb_gcm.encrypt(half.mb_key, state, out, data, size, iv, clear.first, clear.first_size, tag, GCM_TAG_SIZE)
        return OK
    good = half.by.encrypt_init(half.cipher, NULL, 0, iv, GCM_IV_SIZE, NULL) == 1 and gcm_run(half, clear, data, size, out)
    good = good and half.by.final(half.cipher, tag, &n, GCM_TAG_SIZE) == 1
    gcm_tag_parameter(wanted, tag)
    return OK if good and half.by.get_parameters(half.cipher, wanted) == 1 else E_INTERNAL

cdef inline int gcm_open(const CipherHalf* half, const u8* iv, const Clear* clear, const u8* data, size_t size, const u8* tag,
                         u8* out) noexcept nogil:
    cdef OSSL_PARAM given[2]
    cdef u8 state[MB_GCM_STATE]
    cdef u8 end[GCM_TAG_SIZE]
    cdef size_t n = 0
    cdef bint good
    if half.mb_gcm != NULL:
        half.mb_gcm.decrypt(half.mb_key, state, out, data, size, iv, clear.first, clear.first_size, end, GCM_TAG_SIZE)
        return OK if CRYPTO_memcmp(end, tag, GCM_TAG_SIZE) == 0 else E_AUTH
    memcpy(end, tag, GCM_TAG_SIZE)
    gcm_tag_parameter(given, end)
    good = half.by.decrypt_init(half.cipher, NULL, 0, iv, GCM_IV_SIZE, NULL) == 1
    good = good and half.by.set_parameters(half.cipher, given) == 1 and gcm_run(half, clear, data, size, out)
    return OK if good and half.by.final(half.cipher, end, &n, GCM_TAG_SIZE) == 1 else E_AUTH

cdef inline int cm_crypt(const CipherHalf* half, const u8* iv, const u8* data, size_t size, u8* out) noexcept nogil:
    cdef size_t n = 0
    if half.by.encrypt_init(half.cipher, NULL, 0, iv, CM_IV_SIZE, NULL) != 1:
        return E_INTERNAL
    if size and half.by.update(half.cipher, out, &n, size, data, size) != 1:
        return E_INTERNAL
    return OK

# The tag over `size` bytes and the clear bytes behind them.
cdef inline void cm_tag(const CipherHalf* half, const u8* data, size_t size, const u8* more, size_t more_size,
                        u8* tag) noexcept nogil:
    cdef SHA_CTX hash = half.mac.inner
    cdef u8 digest[SHA1_SIZE]
    SHA1_Update(&hash, data, size)
    if more_size:
        SHA1_Update(&hash, more, more_size)
    hmac_sha1_end(&half.mac, &hash, digest)
    memcpy(tag, digest, CM_TAG_SIZE)

cdef inline int cm_verify(const CipherHalf* half, const u8* data, size_t size, const u8* more, size_t more_size,
                          const u8* tag) noexcept nogil:
    cdef u8 expected[CM_TAG_SIZE]
    cm_tag(half, data, size, more, more_size, expected)
    return OK if CRYPTO_memcmp(expected, tag, CM_TAG_SIZE) == 0 else E_AUTH
