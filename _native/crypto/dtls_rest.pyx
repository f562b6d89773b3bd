"""What is left of a DTLS association after its handshake; the contract is in dtls_rest.pxd."""

from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport get16, put16, put32, put64
from simplestchat._native.core.types cimport E_AUTH, E_INTERNAL, E_SPACE, E_UNSUPPORTED, OK, u8, u32, u64
from simplestchat._native.crypto.dtls_inbound cimport DTLS_RECORD_HEADER, RECORD_CCS, RECORD_HANDSHAKE
from simplestchat._native.crypto.openssl cimport (
    EVP_aes_128_gcm, EVP_aes_256_gcm, EVP_chacha20_poly1305, EVP_CIPHER, EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free,
    EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG, EVP_DecryptFinal_ex, EVP_DecryptInit_ex, EVP_DecryptUpdate,
    EVP_EncryptFinal_ex, EVP_EncryptInit_ex, EVP_EncryptUpdate, EVP_MD, EVP_sha256, EVP_sha384, HMAC_CTX, HMAC_CTX_free,
    HMAC_CTX_new, HMAC_Final, HMAC_Init_ex, HMAC_Update, OPENSSL_cleanse, SSL,
    SSL_CIPHER_get_id, SSL_get_client_random, SSL_get_current_cipher, SSL_get_server_random, SSL_get_session,
    SSL_SESSION_get_master_key,
)

cdef enum RestCipher:
    REST_AES_128_GCM = 1
    REST_AES_256_GCM = 2
    REST_CHACHA20_POLY1305 = 3

cdef enum:
    RANDOM_SIZE = 32
    MASTER_SIZE = 48
    TAG_SIZE = 16
    NONCE_SIZE = 12
    GCM_EXPLICIT = 8                 # bytes of the nonce that a record carries
    GCM_IMPLICIT = 4
    DIGEST_MAX = 64
    BLOCK_MAX = 2 * (32 + 12)
    EPOCH_AT = 3
    EPOCH_SHIFT = 48

cdef const char* LABEL = b"key expansion"


cdef int _cipher_of(SSL* ssl) noexcept nogil:
    """The low half of OpenSSL's cipher id is the IANA number."""
    cdef u32 id = SSL_CIPHER_get_id(SSL_get_current_cipher(ssl)) & 0xFFFF
    if id == 0xC02B or id == 0xC02F:
        return REST_AES_128_GCM
    if id == 0xC02C or id == 0xC030:
        return REST_AES_256_GCM
    return REST_CHACHA20_POLY1305 if id == 0xCCA8 or id == 0xCCA9 else 0


cdef inline u32 _key_size(int cipher) noexcept nogil:
    return 16 if cipher == REST_AES_128_GCM else 32


cdef inline u32 _iv_size(int cipher) noexcept nogil:
    return NONCE_SIZE if cipher == REST_CHACHA20_POLY1305 else GCM_IMPLICIT


cdef inline u32 _explicit(int cipher) noexcept nogil:
    return 0 if cipher == REST_CHACHA20_POLY1305 else GCM_EXPLICIT


cdef bint _hash(HMAC_CTX* mac, const u8* data, u32 size, const u8* more, u32 more_size, u8* out, unsigned int* length) noexcept nogil:
    """HMAC of two pieces, with the key that `mac` has."""
    return (HMAC_Init_ex(mac, NULL, 0, NULL, NULL) == 1 and HMAC_Update(mac, data, size) == 1
            and HMAC_Update(mac, more, more_size) == 1 and HMAC_Final(mac, out, length) == 1)


cdef bint _expand_with(HMAC_CTX* mac, const u8* seed, u32 seed_size, u8* out, u32 size) noexcept nogil:
    cdef u8 chain[DIGEST_MAX]
    cdef u8 digest[DIGEST_MAX]
    cdef unsigned int length = 0
    cdef u32 done = 0
    cdef u32 part
    cdef bint fine = _hash(mac, seed, seed_size, NULL, 0, chain, &length)
    while fine and done < size:
        fine = _hash(mac, chain, length, seed, seed_size, digest, &length)
        part = min(<u32>length, size - done)
        memcpy(out + done, digest, part)
        done += part
        if fine and done < size:
            fine = _hash(mac, chain, length, NULL, 0, chain, &length)
    OPENSSL_cleanse(chain, sizeof(chain))
    OPENSSL_cleanse(digest, sizeof(digest))
    return fine


cdef bint _expand(const EVP_MD* hash, const u8* secret, const u8* seed, u32 seed_size, u8* out, u32 size) noexcept nogil:
    """P_hash of RFC 5246 section 5."""
    cdef HMAC_CTX* mac = HMAC_CTX_new()
    cdef bint fine = (mac != NULL and HMAC_Init_ex(mac, secret, MASTER_SIZE, hash, NULL) == 1
                      and _expand_with(mac, seed, seed_size, out, size))
    HMAC_CTX_free(mac)
    return fine


cdef bint _derive(DtlsRest* rest, SSL* ssl, bint client) noexcept nogil:
    """The key block (RFC 5246 section 6.3): the client's key, the server's, the client's IV, the server's."""
    cdef u8 seed[16 + 2 * RANDOM_SIZE]
    cdef u8 master[MASTER_SIZE]
    cdef u8 block[BLOCK_MAX]
    cdef u32 key = _key_size(rest.cipher)
    cdef u32 iv = _iv_size(rest.cipher)
    cdef u32 label = 13
    cdef RestHalf* first = &rest.ours if client else &rest.theirs
    cdef RestHalf* second = &rest.theirs if client else &rest.ours
    cdef bint fine
    memcpy(seed, LABEL, label)
    SSL_get_server_random(ssl, seed + label, RANDOM_SIZE)
    SSL_get_client_random(ssl, seed + label + RANDOM_SIZE, RANDOM_SIZE)
    fine = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, MASTER_SIZE) == MASTER_SIZE and _expand(
        EVP_sha384() if rest.cipher == REST_AES_256_GCM else EVP_sha256(), master, seed, label + 2 * RANDOM_SIZE, block,
        2 * (key + iv))
    if fine:
        memcpy(first.key, block, key)
        memcpy(second.key, block + key, key)
        memcpy(first.iv, block + 2 * key, iv)
        memcpy(second.iv, block + 2 * key + iv, iv)
    OPENSSL_cleanse(master, sizeof(master))
    OPENSSL_cleanse(block, sizeof(block))
    return fine


cdef void _nonce(const DtlsRest* rest, const RestHalf* half, const u8* record, u8* out) noexcept nogil:
    cdef int i
    memcpy(out, half.iv, NONCE_SIZE)
    if rest.cipher != REST_CHACHA20_POLY1305:
        memcpy(out + GCM_IMPLICIT, record + DTLS_RECORD_HEADER, GCM_EXPLICIT)
        return
    for i in range(8):               # epoch and number lie together in the header
        out[4 + i] ^= record[EPOCH_AT + i]


cdef const EVP_CIPHER* _evp(const DtlsRest* rest) noexcept nogil:
    if rest.cipher == REST_AES_128_GCM:
        return EVP_aes_128_gcm()
    return EVP_aes_256_gcm() if rest.cipher == REST_AES_256_GCM else EVP_chacha20_poly1305()


cdef void _clear(const u8* record, u32 plain_size, u8* out) noexcept nogil:
    """What is authenticated beside the text: epoch, number, type, version, size."""
    memcpy(out, record + EPOCH_AT, 8)
    out[8] = record[0]
    memcpy(out + 9, record + 1, 2)
    put16(out + 11, plain_size)


cdef int rest_open(const DtlsRest* rest, const u8* record, u32 size, u8* out) noexcept nogil:
    cdef u32 body = DTLS_RECORD_HEADER + _explicit(rest.cipher)
    cdef u8 nonce[NONCE_SIZE]
    cdef u8 clear[DTLS_RECORD_HEADER]
    cdef u8 tag[TAG_SIZE]
    cdef EVP_CIPHER_CTX* ctx
    cdef u32 plain
    cdef int length = 0
    cdef bint fine
    if size < body + TAG_SIZE or size - body - TAG_SIZE > REST_MAX_PLAIN:
        return E_AUTH
    plain = size - body - TAG_SIZE
    _nonce(rest, &rest.theirs, record, nonce)
    _clear(record, plain, clear)
    memcpy(tag, record + body + plain, TAG_SIZE)
    ctx = EVP_CIPHER_CTX_new()
    fine = (
        ctx != NULL
        and EVP_DecryptInit_ex(ctx, _evp(rest), NULL, rest.theirs.key, nonce) == 1
        and EVP_DecryptUpdate(ctx, NULL, &length, clear, DTLS_RECORD_HEADER) == 1
        and EVP_DecryptUpdate(ctx, out, &length, record + body, <int>plain) == 1
        and EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1
        and EVP_DecryptFinal_ex(ctx, out + length, &length) == 1
    )
    EVP_CIPHER_CTX_free(ctx)
    return <int>plain if fine else E_AUTH


cdef void _header(u8* record, u8 type, u64 epoch_and_number, u32 size) noexcept nogil:
    record[0] = type
    put16(record + 1, 0xFEFD)
    put64(record + EPOCH_AT, epoch_and_number)
    put16(record + 11, size)


cdef int rest_seal(DtlsRest* rest, u8 type, const u8* plain, u32 size, u8* out) noexcept nogil:
    cdef u32 explicit = _explicit(rest.cipher)
    cdef u8* body = out + DTLS_RECORD_HEADER + explicit
    cdef u8 nonce[NONCE_SIZE]
    cdef u8 clear[DTLS_RECORD_HEADER]
    cdef EVP_CIPHER_CTX* ctx
    cdef int length = 0
    cdef bint fine
    if size > REST_MAX_PLAIN or rest.cipher == 0:
        return E_SPACE
    _header(out, type, (<u64>1 << EPOCH_SHIFT) | rest.next_sealed, explicit + size + TAG_SIZE)
    if explicit:
        put64(out + DTLS_RECORD_HEADER, rest.next_nonce)
    rest.next_sealed += 1            # whatever comes of it, number and nonce are used up
    rest.next_nonce += 1
    _nonce(rest, &rest.ours, out, nonce)
    _clear(out, size, clear)
    ctx = EVP_CIPHER_CTX_new()
    fine = (
        ctx != NULL
        and EVP_EncryptInit_ex(ctx, _evp(rest), NULL, rest.ours.key, nonce) == 1
        and EVP_EncryptUpdate(ctx, NULL, &length, clear, DTLS_RECORD_HEADER) == 1
        and EVP_EncryptUpdate(ctx, body, &length, plain, <int>size) == 1
        and EVP_EncryptFinal_ex(ctx, body + length, &length) == 1
        and EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, body + size) == 1
    )
    EVP_CIPHER_CTX_free(ctx)
    return <int>(DTLS_RECORD_HEADER + explicit + size + TAG_SIZE) if fine else E_INTERNAL


cdef void _keep_finished(DtlsRest* rest, const u8* flight, u32 size) noexcept nogil:
    """The Finished in the flight, which is ours: opened as the peer opens it."""
    cdef DtlsRest mirror
    cdef u32 pos = 0
    cdef u32 record
    cdef int plain
    memset(&mirror, 0, sizeof(mirror))
    mirror.cipher = rest.cipher
    mirror.theirs = rest.ours
    while size - pos >= DTLS_RECORD_HEADER:
        record = DTLS_RECORD_HEADER + get16(flight + pos + 11)
        if record > size - pos:
            break
        if flight[pos] == RECORD_HANDSHAKE and get16(flight + pos + EPOCH_AT) == 1:
            plain = rest_open(&mirror, flight + pos, record, rest.finished)
            rest.finished_size = <u8>max(plain, 0)
        pos += record
    OPENSSL_cleanse(&mirror, sizeof(mirror))


cdef int rest_init(DtlsRest* rest, SSL* ssl, bint client, const u64* next_numbers, u64 next_nonce, const u8* flight, u32 size) noexcept nogil:
    memset(rest, 0, sizeof(DtlsRest))
    rest.cipher = <u8>_cipher_of(ssl)
    if rest.cipher == 0:
        return E_UNSUPPORTED
    rest.next_plain = next_numbers[0]
    rest.next_sealed = next_numbers[1]
    rest.next_nonce = next_nonce
    if not _derive(rest, ssl, client):
        rest_wipe(rest)
        return E_INTERNAL
    if not client:
        _keep_finished(rest, flight, size)
    return OK


cdef void rest_wipe(DtlsRest* rest) noexcept nogil:
    OPENSSL_cleanse(rest, sizeof(DtlsRest))


cdef int rest_repeat(DtlsRest* rest, u8* out) noexcept nogil:
    cdef int size
    if rest.finished_size == 0:
        return 0
    _header(out, RECORD_CCS, rest.next_plain, 1)
    out[DTLS_RECORD_HEADER] = 1
    rest.next_plain += 1
    size = rest_seal(rest, RECORD_HANDSHAKE, rest.finished, rest.finished_size, out + DTLS_RECORD_HEADER + 1)
    return size if size < 0 else DTLS_RECORD_HEADER + 1 + size
