"""What DTLS associations share; see dtls_context.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from simplestchat._native.core.types cimport E_INTERNAL, E_MALFORMED, E_UNSUPPORTED, OK, u8
from simplestchat._native.crypto.dtls_cert cimport dtls_certificate
from simplestchat._native.crypto.library cimport library_context
from simplestchat._native.crypto.openssl cimport (
    CRYPTO_memcmp, DTLS1_2_VERSION, DTLS_method, ERR_clear_error, EVP_MD, EVP_PKEY, EVP_PKEY_free, EVP_sha256, EVP_sha384,
    EVP_sha512, SSL, SSL_CTX, SSL_CTX_free, SSL_CTX_new_ex, SSL_CTX_set1_groups_list, SSL_CTX_set_cert_verify_callback,
    SSL_CTX_set_cipher_list, SSL_CTX_set_max_cert_list, SSL_CTX_set_max_proto_version, SSL_CTX_set_min_proto_version,
    SSL_CTX_set_options, SSL_CTX_set_session_cache_mode, SSL_CTX_set_tlsext_use_srtp, SSL_CTX_set_verify,
    SSL_CTX_use_certificate, SSL_CTX_use_PrivateKey, SSL_get_app_data, SSL_get_ex_data_X509_STORE_CTX_idx,
    SSL_OP_CIPHER_SERVER_PREFERENCE, SSL_OP_NO_COMPRESSION, SSL_OP_NO_QUERY_MTU, SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET,
    SSL_SESS_CACHE_OFF, SSL_VERIFY_FAIL_IF_NO_PEER_CERT, SSL_VERIFY_PEER, X509, X509_digest, X509_free, X509_STORE_CTX,
    X509_STORE_CTX_get0_cert, X509_STORE_CTX_get_ex_data, X509_STORE_CTX_set_error, X509_V_ERR_CERT_REJECTED,
)

cdef enum:
    CERT_LIST_MAX = 16384

cdef const char* CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
)
cdef const char* GROUPS = b"X25519:P-256:P-384"
cdef const char* PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"


cdef const EVP_MD* _digest(int hash) noexcept nogil:
    if hash == HASH_SHA256:
        return EVP_sha256()
    if hash == HASH_SHA384:
        return EVP_sha384()
    return EVP_sha512() if hash == HASH_SHA512 else NULL


cdef int expected_set(Expected* expected, int hash, const u8* digest, size_t size) noexcept nogil:
    cdef size_t wanted = 32 if hash == HASH_SHA256 else 48 if hash == HASH_SHA384 else 64
    if _digest(hash) == NULL:
        return E_UNSUPPORTED
    if size != wanted:
        return E_MALFORMED
    expected.hash = hash
    expected.size = <u8>size
    expected.met = 0
    memcpy(expected.digest, digest, size)
    return OK


cdef bint expected_matches(const Expected* expected, const X509* cert) noexcept nogil:
    cdef u8 digest[64]
    cdef unsigned int size = 0
    if cert == NULL or X509_digest(cert, _digest(expected.hash), digest, &size) != 1:
        return False
    return size == expected.size and CRYPTO_memcmp(digest, expected.digest, size) == 0


# In place of a chain's verification: a certificate is good when its digest is the announced one. While none is announced the
# handshake goes on, and the association decides at its end.
cdef int _verify(X509_STORE_CTX* store, void* unused) noexcept nogil:
    cdef SSL* ssl = <SSL*>X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    cdef Expected* expected = <Expected*>SSL_get_app_data(ssl)
    if expected.size == 0:
        return 1
    expected.met = expected_matches(expected, X509_STORE_CTX_get0_cert(store))
    if expected.met:
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
    ctx.ssl = SSL_CTX_new_ex(library_context(), NULL, DTLS_method())
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
