# The two transforms of SRTP over prepared keys: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1 (RFC 3711). Per packet only the IV
# is set; nothing is allocated. Header-only, so that it is compiled into its one user.
from libc.string cimport memcpy, memset
from simplestchat._native.core.bytes cimport get32, put32
from simplestchat._native.core.types cimport E_AUTH, E_INTERNAL, OK, u8, u16, u32, u64
from simplestchat._native.crypto.hmacsha1 cimport HmacSha1, SHA1_SIZE, hmac_sha1_end
from simplestchat._native.crypto.openssl cimport (
    CRYPTO_memcmp, EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG, EVP_DecryptFinal_ex,
    EVP_DecryptInit_ex, EVP_DecryptUpdate, EVP_EncryptFinal_ex, EVP_EncryptInit_ex, EVP_EncryptUpdate, SHA1_Update, SHA_CTX,
)

cdef enum:
    GCM_TAG_SIZE = 16
    CM_TAG_SIZE = 10

# RTP or RTCP of one context.
cdef struct CipherHalf:
    EVP_CIPHER_CTX* cipher
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

cdef inline int gcm_seal(CipherHalf* half, const u8* iv, const Clear* clear, const u8* data, size_t size, u8* out,
                         u8* tag) noexcept nogil:
    cdef EVP_CIPHER_CTX* ctx = half.cipher
    cdef int n = 0
    cdef bint good = EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) == 1
    good = good and EVP_EncryptUpdate(ctx, NULL, &n, clear.first, <int>clear.first_size) == 1
    if clear.second_size:
        good = good and EVP_EncryptUpdate(ctx, NULL, &n, clear.second, <int>clear.second_size) == 1
    if size:
        good = good and EVP_EncryptUpdate(ctx, out, &n, data, <int>size) == 1
    good = good and EVP_EncryptFinal_ex(ctx, tag, &n) == 1
    good = good and EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE, tag) == 1
    return OK if good else E_INTERNAL

cdef inline int gcm_open(CipherHalf* half, const u8* iv, const Clear* clear, const u8* data, size_t size, const u8* tag,
                         u8* out) noexcept nogil:
    cdef EVP_CIPHER_CTX* ctx = half.cipher
    cdef u8 end[GCM_TAG_SIZE]
    cdef int n = 0
    cdef bint good = EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, iv) == 1
    good = good and EVP_DecryptUpdate(ctx, NULL, &n, clear.first, <int>clear.first_size) == 1
    if clear.second_size:
        good = good and EVP_DecryptUpdate(ctx, NULL, &n, clear.second, <int>clear.second_size) == 1
    if size:
        good = good and EVP_DecryptUpdate(ctx, out, &n, data, <int>size) == 1
    memcpy(end, tag, GCM_TAG_SIZE)
    good = good and EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_SIZE, end) == 1
    return OK if good and EVP_DecryptFinal_ex(ctx, end, &n) == 1 else E_AUTH

cdef inline int cm_crypt(CipherHalf* half, const u8* iv, const u8* data, size_t size, u8* out) noexcept nogil:
    cdef int n = 0
    if EVP_EncryptInit_ex(half.cipher, NULL, NULL, NULL, iv) != 1:
        return E_INTERNAL
    if size and EVP_EncryptUpdate(half.cipher, out, &n, data, <int>size) != 1:
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
