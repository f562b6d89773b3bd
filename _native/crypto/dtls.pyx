"""DTLS over libssl; the contract is in dtls.pxd.

Input: a datagram is cut into records. Handshake records of epoch 0 go through dtls_inbound; alerts and data of epoch 0 are dropped,
because anyone can write them; a ChangeCipherSpec or an encrypted Finished that came too early waits for its turn. So
libssl gets one record at a time, and only ones that take the handshake further. dtls_link carries records and keeps the schedule.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport get16
from simplestchat._native.core.types cimport (
    E_AUTH, E_INTERNAL, E_MALFORMED, E_REPLAY, E_STATE, E_UNSUPPORTED, OK, u8, u16, u32, us_t,
)
from simplestchat._native.crypto.dtls_cert cimport dtls_certificate
from simplestchat._native.crypto.dtls_inbound cimport (
    DTLS_RECORD_HEADER, Inbound, RECORD_CCS, RECORD_HANDSHAKE, inbound_free, inbound_header, inbound_init, inbound_next,
    inbound_pop, inbound_record,
)
from simplestchat._native.crypto.dtls_link cimport DtlsLink, link_attach, link_offer, link_repeated, link_resend
from simplestchat._native.crypto.dtls_outbound cimport outbound_free, outbound_take
from simplestchat._native.crypto.openssl cimport (
    CRYPTO_memcmp, DTLS1_2_VERSION, DTLS_method, ERR_clear_error, EVP_MD, EVP_PKEY, EVP_PKEY_free, EVP_sha256,
    EVP_sha384, EVP_sha512, OPENSSL_cleanse, SRTP_PROTECTION_PROFILE, SSL, SSL_alloc_buffers, SSL_CTX, SSL_CTX_free,
    SSL_CTX_new, SSL_CTX_set1_groups_list, SSL_CTX_set_cert_verify_callback, SSL_CTX_set_cipher_list,
    SSL_CTX_set_max_cert_list, SSL_CTX_set_max_proto_version, SSL_CTX_set_min_proto_version, SSL_CTX_set_options,
    SSL_CTX_set_session_cache_mode, SSL_CTX_set_tlsext_use_srtp, SSL_CTX_set_verify, SSL_CTX_use_certificate,
    SSL_CTX_use_PrivateKey, SSL_do_handshake, SSL_ERROR_WANT_READ, SSL_export_keying_material, SSL_free,
    SSL_free_buffers, SSL_get0_peer_certificate, SSL_get_app_data, SSL_get_error,
    SSL_get_ex_data_X509_STORE_CTX_idx, SSL_get_selected_srtp_profile, SSL_get_state, SSL_new,
    SSL_OP_CIPHER_SERVER_PREFERENCE, SSL_OP_NO_COMPRESSION, SSL_OP_NO_QUERY_MTU, SSL_OP_NO_RENEGOTIATION,
    SSL_OP_NO_TICKET, SSL_read, SSL_SESS_CACHE_OFF, SSL_set_accept_state, SSL_set_app_data, SSL_set_connect_state,
    SSL_shutdown, SSL_VERIFY_FAIL_IF_NO_PEER_CERT, SSL_VERIFY_PEER, TLS_ST_CR_CHANGE, TLS_ST_CW_FINISHED,
    TLS_ST_SR_CERT_VRFY, TLS_ST_SR_CHANGE, X509, X509_digest, X509_free, X509_STORE_CTX, X509_STORE_CTX_get0_cert,
    X509_STORE_CTX_get_ex_data, X509_STORE_CTX_set_error, X509_V_ERR_CERT_REJECTED,
)
from simplestchat._native.crypto.srtp cimport srtp_key_size, srtp_salt_size

cdef enum:
    HELD_MAX = 256                   # a Finished that came early; it has about 60 bytes
    CERT_LIST_MAX = 16384
    PROFILE_KEYS_MAX = 2 * (32 + 14)

cdef const char* CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
)
cdef const char* GROUPS = b"X25519:P-256:P-384"
cdef const char* PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"
cdef const char* EXPORTER = b"EXTRACTOR-dtls_srtp"

cdef struct DtlsContext:
    SSL_CTX* ssl
    X509* cert

cdef struct Dtls:
    SSL* ssl
    DtlsLink link
    Inbound inbound
    us_t fail_us                     # when the handshake has taken too long
    u8 role
    u8 state
    u8 finished                      # libssl's handshake is over
    u8 ccs                           # a ChangeCipherSpec waits
    u8 held_size
    u8 held[HELD_MAX]                # an encrypted handshake record that came before its keys
    u8 hash                          # of the announced fingerprint
    u8 digest_size                   # 0: none announced yet
    u8 digest[64]


cdef const EVP_MD* _digest(int hash) noexcept nogil:
    if hash == HASH_SHA256:
        return EVP_sha256()
    if hash == HASH_SHA384:
        return EVP_sha384()
    return EVP_sha512() if hash == HASH_SHA512 else NULL


cdef bint _matches(const Dtls* dtls, const X509* cert) noexcept nogil:
    cdef u8 digest[64]
    cdef unsigned int size = 0
    if cert == NULL or X509_digest(cert, _digest(dtls.hash), digest, &size) != 1:
        return False
    return size == dtls.digest_size and CRYPTO_memcmp(digest, dtls.digest, size) == 0


# In place of a chain's verification: a certificate is good when its digest is the announced one. While none is announced the
# handshake goes on, and _judge decides at its end.
cdef int _verify(X509_STORE_CTX* store, void* unused) noexcept nogil:
    cdef SSL* ssl = <SSL*>X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    cdef Dtls* dtls = <Dtls*>SSL_get_app_data(ssl)
    if dtls.digest_size == 0 or _matches(dtls, X509_STORE_CTX_get0_cert(store)):
        return 1
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
    return 0


cdef bint _configure(SSL_CTX* ssl, X509* cert, EVP_PKEY* key) noexcept nogil:
    SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                        | SSL_OP_CIPHER_SERVER_PREFERENCE)
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF)
    SSL_CTX_set_max_cert_list(ssl, CERT_LIST_MAX)
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL)
    SSL_CTX_set_cert_verify_callback(ssl, _verify, NULL)
    return (
        SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) == 1
        and SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) == 1
        and SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1
        and SSL_CTX_set1_groups_list(ssl, GROUPS) == 1
        and SSL_CTX_set_tlsext_use_srtp(ssl, PROFILES) == 0      # 0 is success
        and SSL_CTX_use_certificate(ssl, cert) == 1
        and SSL_CTX_use_PrivateKey(ssl, key) == 1
    )


cdef DtlsContext* dtls_context_new() noexcept nogil:
    cdef EVP_PKEY* key = NULL
    cdef DtlsContext* ctx = <DtlsContext*>calloc(1, sizeof(DtlsContext))
    if ctx == NULL:
        return NULL
    ERR_clear_error()
    ctx.ssl = SSL_CTX_new(DTLS_method())
    if ctx.ssl == NULL or dtls_certificate(&key, &ctx.cert) != OK or not _configure(ctx.ssl, ctx.cert, key):
        EVP_PKEY_free(key)
        dtls_context_free(ctx)
        return NULL
    EVP_PKEY_free(key)
    return ctx


cdef void dtls_context_free(DtlsContext* ctx) noexcept nogil:
    if ctx != NULL:
        SSL_CTX_free(ctx.ssl)
        X509_free(ctx.cert)
        free(ctx)


cdef int dtls_context_fingerprint(DtlsContext* ctx, int hash, u8* out) noexcept nogil:
    cdef unsigned int size = 0
    if _digest(hash) == NULL:
        return E_UNSUPPORTED
    return <int>size if X509_digest(ctx.cert, _digest(hash), out, &size) == 1 else E_INTERNAL


cdef int dtls_context_suites(DtlsContext* ctx, const char* names) noexcept nogil:
    ERR_clear_error()
    return OK if SSL_CTX_set_tlsext_use_srtp(ctx.ssl, names) == 0 else E_UNSUPPORTED


cdef Dtls* dtls_new(DtlsContext* ctx, int role) noexcept nogil:
    cdef Dtls* dtls = <Dtls*>calloc(1, sizeof(Dtls))
    if dtls == NULL:
        return NULL
    dtls.role = role
    dtls.fail_us = DTLS_NO_DEADLINE
    inbound_init(&dtls.inbound, role == DTLS_SERVER)
    ERR_clear_error()
    dtls.ssl = SSL_new(ctx.ssl)
    if dtls.ssl == NULL or link_attach(&dtls.link, dtls.ssl, DTLS_MAX_DATAGRAM) != OK:
        dtls_free(dtls)
        return NULL
    SSL_set_app_data(dtls.ssl, dtls)
    if role == DTLS_SERVER:
        SSL_set_accept_state(dtls.ssl)
    else:
        SSL_set_connect_state(dtls.ssl)
    return dtls


cdef void dtls_free(Dtls* dtls) noexcept nogil:
    if dtls == NULL:
        return
    SSL_free(dtls.ssl)
    inbound_free(&dtls.inbound)
    outbound_free(&dtls.link.out)
    free(dtls)


cdef void _end(Dtls* dtls, int state) noexcept nogil:
    dtls.state = state
    dtls.link.resend_us = dtls.fail_us = DTLS_NO_DEADLINE
    dtls.ccs = 0
    dtls.held_size = 0
    inbound_free(&dtls.inbound)


# The handshake is over: connected if the certificate is the announced one, else failed. Undecided while none is announced.
cdef void _judge(Dtls* dtls) noexcept nogil:
    if dtls.digest_size:
        _end(dtls, DTLS_CONNECTED if _matches(dtls, SSL_get0_peer_certificate(dtls.ssl)) else DTLS_FAILED)


cdef int dtls_set_fingerprint(Dtls* dtls, int hash, const u8* digest, size_t size) noexcept nogil:
    cdef size_t expected = 32 if hash == HASH_SHA256 else 48 if hash == HASH_SHA384 else 64
    if _digest(hash) == NULL:
        return E_UNSUPPORTED
    if size != expected:
        return E_MALFORMED
    if dtls.state != DTLS_NEW and dtls.state != DTLS_CONNECTING:
        return E_STATE
    dtls.hash = hash
    dtls.digest_size = <u8>size
    memcpy(dtls.digest, digest, size)
    if dtls.finished:
        _judge(dtls)
    return OK


# After the handshake libssl's two record buffers (34 KB) are kept only while it works.
cdef void _read(Dtls* dtls) noexcept nogil:
    cdef u8 scratch[512]
    cdef int result = 1
    if SSL_alloc_buffers(dtls.ssl) != 1:
        return
    while result > 0:
        result = SSL_read(dtls.ssl, scratch, sizeof(scratch))    # data has no use here
    if SSL_get_error(dtls.ssl, result) == SSL_ERROR_WANT_READ:
        SSL_free_buffers(dtls.ssl)
    else:
        _end(dtls, DTLS_CLOSED if dtls.state == DTLS_CONNECTED else DTLS_FAILED)


# Lets libssl work, on one record or (NULL) on its own.
cdef void _drive(Dtls* dtls, const u8* record, size_t size) noexcept nogil:
    cdef int result
    link_offer(&dtls.link, record, size)
    ERR_clear_error()
    if dtls.finished:
        _read(dtls)
    else:
        result = SSL_do_handshake(dtls.ssl)
        if result == 1:
            dtls.finished = True
            dtls.link.resend_us = DTLS_NO_DEADLINE
            inbound_free(&dtls.inbound)
            if SSL_get_selected_srtp_profile(dtls.ssl) == NULL:
                _end(dtls, DTLS_FAILED)
            else:
                SSL_free_buffers(dtls.ssl)
                _judge(dtls)
        elif SSL_get_error(dtls.ssl, result) != SSL_ERROR_WANT_READ:
            _end(dtls, DTLS_FAILED)
    link_offer(&dtls.link, NULL, 0)


# Whether ChangeCipherSpec comes next: a server waits for it behind CertificateVerify, a client behind its own Finished.
cdef bint _awaits_ccs(const Dtls* dtls) noexcept nogil:
    cdef int at = SSL_get_state(dtls.ssl)
    return at == (TLS_ST_SR_CERT_VRFY if dtls.role == DTLS_SERVER else TLS_ST_CW_FINISHED)


cdef bint _awaits_finished(const Dtls* dtls) noexcept nogil:
    cdef int at = SSL_get_state(dtls.ssl)
    return at == (TLS_ST_SR_CHANGE if dtls.role == DTLS_SERVER else TLS_ST_CR_CHANGE)


# Hands over what has become next in sequence: messages, then a ChangeCipherSpec, then a Finished.
cdef void _deliver(Dtls* dtls) noexcept nogil:
    cdef u8 ccs[DTLS_RECORD_HEADER + 1]
    cdef size_t size = 0
    cdef const u8* record = inbound_next(&dtls.inbound, &size)
    while record != NULL and dtls.state == DTLS_CONNECTING:
        _drive(dtls, record, size)
        if dtls.state != DTLS_CONNECTING:
            return
        inbound_pop(&dtls.inbound)
        record = inbound_next(&dtls.inbound, &size)
    if dtls.ccs and _awaits_ccs(dtls):
        dtls.ccs = 0
        inbound_header(&dtls.inbound, ccs, RECORD_CCS, 1)
        ccs[DTLS_RECORD_HEADER] = 1
        _drive(dtls, ccs, sizeof(ccs))
    if dtls.state == DTLS_CONNECTING and dtls.held_size and _awaits_finished(dtls):
        size = dtls.held_size
        dtls.held_size = 0
        _drive(dtls, dtls.held, size)


cdef void _sent_again(Dtls* dtls, int result) noexcept nogil:
    if result != OK:
        _end(dtls, DTLS_FAILED)


# A handshake record of epoch 0 that is not for the past.
cdef int _plain_handshake(Dtls* dtls, const u8* body, size_t size) noexcept nogil:
    cdef int result = inbound_record(&dtls.inbound, body, size)
    if result == E_REPLAY:
        _sent_again(dtls, link_repeated(&dtls.link, dtls.ssl))
    elif result == OK:
        if dtls.fail_us == DTLS_NO_DEADLINE:
            dtls.fail_us = dtls.link.now + DTLS_HANDSHAKE_TIMEOUT_US
        _deliver(dtls)
    return result


cdef int _record(Dtls* dtls, const u8* record, size_t size) noexcept nogil:
    cdef const u8* body = record + DTLS_RECORD_HEADER
    cdef u16 epoch = get16(record + 3)
    if record[1] != 0xFE or (record[2] != 0xFD and record[2] != 0xFF):
        return E_MALFORMED
    if epoch == 0:
        if dtls.finished:
            return E_REPLAY
        if record[0] == RECORD_HANDSHAKE:
            return _plain_handshake(dtls, body, size - DTLS_RECORD_HEADER)
        if record[0] == RECORD_CCS and size == DTLS_RECORD_HEADER + 1 and body[0] == 1:
            dtls.ccs = 1
            _deliver(dtls)
            return OK
        return E_AUTH
    if epoch != 1:
        return E_AUTH
    if dtls.finished:
        _drive(dtls, record, size)
        return OK
    if record[0] != RECORD_HANDSHAKE or size > HELD_MAX - 1:
        return E_UNSUPPORTED
    dtls.held_size = <u8>size
    memcpy(dtls.held, record, size)
    _deliver(dtls)
    return OK


cdef int dtls_start(Dtls* dtls, us_t now) noexcept nogil:
    if dtls.state != DTLS_NEW:
        return E_STATE
    dtls.link.now = now
    dtls.state = DTLS_CONNECTING
    if dtls.role == DTLS_CLIENT:
        dtls.fail_us = now + DTLS_HANDSHAKE_TIMEOUT_US
        _drive(dtls, NULL, 0)
    return OK if dtls.state == DTLS_CONNECTING else E_INTERNAL


cdef int dtls_feed(Dtls* dtls, const u8* data, size_t size, us_t now) noexcept nogil:
    cdef size_t pos = 0
    cdef size_t record
    cdef int result = E_MALFORMED
    cdef int one
    if dtls.state != DTLS_CONNECTING and dtls.state != DTLS_CONNECTED:
        return E_STATE
    dtls.link.now = now
    while size - pos >= DTLS_RECORD_HEADER:
        record = DTLS_RECORD_HEADER + get16(data + pos + 11)
        if record > size - pos:
            break
        one = _record(dtls, data + pos, record)
        if result != OK:
            result = one
        if dtls.state != DTLS_CONNECTING and dtls.state != DTLS_CONNECTED:
            break
        pos += record
    return result


cdef int dtls_drain(Dtls* dtls, u8* out, size_t cap) noexcept nogil:
    return outbound_take(&dtls.link.out, out, <u32>min(cap, <size_t>DTLS_MAX_DATAGRAM))


cdef us_t dtls_deadline(const Dtls* dtls) noexcept nogil:
    return min(dtls.link.resend_us, dtls.fail_us)


cdef void dtls_tick(Dtls* dtls, us_t now) noexcept nogil:
    dtls.link.now = now
    if dtls.state != DTLS_CONNECTING:
        return
    if now >= dtls.fail_us:
        _end(dtls, DTLS_FAILED)
    elif now >= dtls.link.resend_us:
        _sent_again(dtls, link_resend(&dtls.link, dtls.ssl))


cdef int dtls_state(const Dtls* dtls) noexcept nogil:
    return dtls.state


cdef int dtls_keys(Dtls* dtls, SrtpKeys* out) noexcept nogil:
    cdef u8 block[PROFILE_KEYS_MAX]
    cdef SRTP_PROTECTION_PROFILE* profile
    cdef int key, salt
    cdef bint client = dtls.role == DTLS_CLIENT
    if dtls.state != DTLS_CONNECTED:
        return E_STATE
    profile = SSL_get_selected_srtp_profile(dtls.ssl)
    if profile == NULL or srtp_key_size(<int>profile.id) == 0:
        return E_UNSUPPORTED
    memset(out, 0, sizeof(SrtpKeys))
    out.suite = <int>profile.id
    key = srtp_key_size(out.suite)
    salt = srtp_salt_size(out.suite)
    ERR_clear_error()
    if SSL_export_keying_material(dtls.ssl, block, 2 * (key + salt), EXPORTER, 19, NULL, 0, 0) != 1:
        return E_INTERNAL
    # The client's key, the server's, the client's salt, the server's (RFC 5764 section 4.2).
    memcpy(out.send_key, block + (0 if client else key), key)
    memcpy(out.recv_key, block + (key if client else 0), key)
    memcpy(out.send_salt, block + 2 * key + (0 if client else salt), salt)
    memcpy(out.recv_salt, block + 2 * key + (salt if client else 0), salt)
    OPENSSL_cleanse(block, sizeof(block))
    return OK


cdef void dtls_close(Dtls* dtls) noexcept nogil:
    if dtls.state == DTLS_CLOSED or dtls.state == DTLS_FAILED:
        return
    if dtls.finished and SSL_alloc_buffers(dtls.ssl) == 1:
        ERR_clear_error()
        link_offer(&dtls.link, NULL, 0)
        SSL_shutdown(dtls.ssl)
        SSL_free_buffers(dtls.ssl)
    _end(dtls, DTLS_CLOSED)
