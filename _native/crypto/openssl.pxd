# What we use of OpenSSL (3.0 and later): libcrypto's ciphers, digests and keys, libssl's DTLS.
from libc.stddef cimport size_t

cdef extern from *:
    """
    /* SHA1_* keep their state in a plain struct, so that a keyed state is copied instead of allocated for each packet. */
    #ifndef OPENSSL_SUPPRESS_DEPRECATED
    #define OPENSSL_SUPPRESS_DEPRECATED
    #endif
    #include <openssl/sha.h>
    """
    ctypedef struct SHA_CTX:
        pass
    int SHA1_Init(SHA_CTX* c) noexcept nogil
    int SHA1_Update(SHA_CTX* c, const void* data, size_t len) noexcept nogil
    int SHA1_Final(unsigned char* md, SHA_CTX* c) noexcept nogil

cdef extern from "openssl/crypto.h":
    ctypedef struct OSSL_LIB_CTX
    void OPENSSL_cleanse(void* ptr, size_t len) noexcept nogil
    int CRYPTO_memcmp(const void* a, const void* b, size_t len) noexcept nogil
    const char* OpenSSL_version(int type) noexcept nogil
    int OPENSSL_VERSION

cdef extern from "openssl/err.h":
    void ERR_clear_error() noexcept nogil

cdef extern from "openssl/rand.h":
    int RAND_bytes(unsigned char* buf, int num) noexcept nogil

cdef extern from "openssl/evp.h":
    ctypedef struct EVP_CIPHER
    ctypedef struct EVP_CIPHER_CTX
    ctypedef struct EVP_MD
    ctypedef struct EVP_PKEY
    ctypedef struct ENGINE
    int EVP_CTRL_AEAD_GET_TAG
    int EVP_CTRL_AEAD_SET_TAG

    const EVP_CIPHER* EVP_aes_128_gcm() noexcept nogil
    const EVP_CIPHER* EVP_aes_256_gcm() noexcept nogil
    const EVP_CIPHER* EVP_aes_128_ctr() noexcept nogil
    const EVP_CIPHER* EVP_aes_256_ctr() noexcept nogil
    const EVP_CIPHER* EVP_chacha20() noexcept nogil
    const EVP_CIPHER* EVP_chacha20_poly1305() noexcept nogil
    EVP_CIPHER_CTX* EVP_CIPHER_CTX_new() noexcept nogil
    void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX* ctx) noexcept nogil
    int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX* ctx, int type, int arg, void* ptr) noexcept nogil
    int EVP_EncryptInit_ex(EVP_CIPHER_CTX* ctx, const EVP_CIPHER* cipher, ENGINE* impl,
                           const unsigned char* key, const unsigned char* iv) noexcept nogil
    int EVP_EncryptUpdate(EVP_CIPHER_CTX* ctx, unsigned char* out, int* outl,
                          const unsigned char* data, int inl) noexcept nogil
    int EVP_EncryptFinal_ex(EVP_CIPHER_CTX* ctx, unsigned char* out, int* outl) noexcept nogil
    int EVP_DecryptInit_ex(EVP_CIPHER_CTX* ctx, const EVP_CIPHER* cipher, ENGINE* impl,
                           const unsigned char* key, const unsigned char* iv) noexcept nogil
    int EVP_DecryptUpdate(EVP_CIPHER_CTX* ctx, unsigned char* out, int* outl,
                          const unsigned char* data, int inl) noexcept nogil
    int EVP_DecryptFinal_ex(EVP_CIPHER_CTX* ctx, unsigned char* out, int* outl) noexcept nogil

    const EVP_MD* EVP_sha256() noexcept nogil
    const EVP_MD* EVP_sha384() noexcept nogil
    const EVP_MD* EVP_sha512() noexcept nogil
    EVP_PKEY* EVP_EC_gen(const char* curve) noexcept nogil
    void EVP_PKEY_free(EVP_PKEY* key) noexcept nogil

    EVP_CIPHER* EVP_CIPHER_fetch(void* library, const char* algorithm, const char* properties) noexcept nogil

cdef extern from "openssl/params.h":
    int OSSL_PARAM_OCTET_STRING
    ctypedef struct OSSL_PARAM:
        const char* key
        unsigned int data_type
        void* data
        size_t data_size
        size_t return_size

cdef extern from "openssl/core_names.h":
    const char* OSSL_CIPHER_PARAM_AEAD_TAG

cdef extern from "openssl/core_dispatch.h":
    ctypedef struct OSSL_DISPATCH:
        int function_id
        void (*function)() noexcept nogil
    ctypedef struct OSSL_ALGORITHM:
        const char* algorithm_names
        const OSSL_DISPATCH* implementation
    int OSSL_OP_CIPHER
    int OSSL_FUNC_CIPHER_NEWCTX
    int OSSL_FUNC_CIPHER_ENCRYPT_INIT
    int OSSL_FUNC_CIPHER_DECRYPT_INIT
    int OSSL_FUNC_CIPHER_UPDATE
    int OSSL_FUNC_CIPHER_FINAL
    int OSSL_FUNC_CIPHER_FREECTX
    int OSSL_FUNC_CIPHER_GET_CTX_PARAMS
    int OSSL_FUNC_CIPHER_SET_CTX_PARAMS

cdef extern from "openssl/provider.h":
    ctypedef struct OSSL_PROVIDER
    const OSSL_PROVIDER* EVP_CIPHER_get0_provider(const EVP_CIPHER* cipher) noexcept nogil
    void* OSSL_PROVIDER_get0_provider_ctx(const OSSL_PROVIDER* provider) noexcept nogil
    const OSSL_ALGORITHM* OSSL_PROVIDER_query_operation(const OSSL_PROVIDER* provider, int operation, int* no_cache) noexcept nogil
    void OSSL_PROVIDER_unquery_operation(const OSSL_PROVIDER* provider, int operation, const OSSL_ALGORITHM* algorithms) noexcept nogil

cdef extern from "openssl/hmac.h":
    ctypedef struct HMAC_CTX
    HMAC_CTX* HMAC_CTX_new() noexcept nogil
    void HMAC_CTX_free(HMAC_CTX* ctx) noexcept nogil
    int HMAC_Init_ex(HMAC_CTX* ctx, const void* key, int size, const EVP_MD* md, ENGINE* impl) noexcept nogil
    int HMAC_Update(HMAC_CTX* ctx, const unsigned char* data, size_t size) noexcept nogil
    int HMAC_Final(HMAC_CTX* ctx, unsigned char* out, unsigned int* size) noexcept nogil
    unsigned char* HMAC(const EVP_MD* md, const void* key, int key_len, const unsigned char* data, size_t size,
                        unsigned char* out, unsigned int* out_size) noexcept nogil

cdef extern from "openssl/x509.h":
    ctypedef struct X509
    ctypedef struct X509_NAME
    ctypedef struct X509_STORE_CTX
    ctypedef struct ASN1_INTEGER
    ctypedef struct ASN1_TIME
    int MBSTRING_ASC
    X509* X509_new() noexcept nogil
    void X509_free(X509* x) noexcept nogil
    int X509_set_version(X509* x, long version) noexcept nogil
    ASN1_INTEGER* X509_get_serialNumber(X509* x) noexcept nogil
    int ASN1_INTEGER_set_uint64(ASN1_INTEGER* a, unsigned long long value) noexcept nogil
    ASN1_TIME* X509_getm_notBefore(const X509* x) noexcept nogil
    ASN1_TIME* X509_getm_notAfter(const X509* x) noexcept nogil
    ASN1_TIME* X509_gmtime_adj(ASN1_TIME* s, long seconds) noexcept nogil
    int X509_set_pubkey(X509* x, EVP_PKEY* key) noexcept nogil
    X509_NAME* X509_get_subject_name(const X509* x) noexcept nogil
    int X509_set_issuer_name(X509* x, const X509_NAME* name) noexcept nogil
    int X509_NAME_add_entry_by_txt(X509_NAME* name, const char* field, int type, const unsigned char* data,
                                   int len, int loc, int set) noexcept nogil
    int X509_sign(X509* x, EVP_PKEY* key, const EVP_MD* md) noexcept nogil
    int X509_digest(const X509* x, const EVP_MD* type, unsigned char* md, unsigned int* len) noexcept nogil

cdef extern from "openssl/x509_vfy.h":
    int X509_V_ERR_CERT_REJECTED
    X509* X509_STORE_CTX_get0_cert(const X509_STORE_CTX* ctx) noexcept nogil
    void* X509_STORE_CTX_get_ex_data(const X509_STORE_CTX* ctx, int idx) noexcept nogil
    void X509_STORE_CTX_set_error(X509_STORE_CTX* ctx, int error) noexcept nogil

cdef extern from "sys/time.h":
    cdef struct timeval:
        long tv_sec
        long tv_usec

cdef extern from "openssl/bio.h":
    ctypedef struct BIO
    ctypedef struct BIO_METHOD
    int BIO_TYPE_SOURCE_SINK
    int BIO_CTRL_FLUSH
    int BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT
    BIO_METHOD* BIO_meth_new(int type, const char* name) noexcept nogil
    void BIO_meth_free(BIO_METHOD* method) noexcept nogil
    int BIO_meth_set_write(BIO_METHOD* method, int (*write)(BIO*, const char*, int) noexcept nogil) noexcept nogil
    int BIO_meth_set_read(BIO_METHOD* method, int (*read)(BIO*, char*, int) noexcept nogil) noexcept nogil
    int BIO_meth_set_ctrl(BIO_METHOD* method, long (*ctrl)(BIO*, int, long, void*) noexcept nogil) noexcept nogil
    BIO* BIO_new(const BIO_METHOD* method) noexcept nogil
    void BIO_set_data(BIO* bio, void* data) noexcept nogil
    void* BIO_get_data(BIO* bio) noexcept nogil
    void BIO_set_init(BIO* bio, int init) noexcept nogil
    void BIO_set_retry_read(BIO* bio) noexcept nogil
    void BIO_clear_retry_flags(BIO* bio) noexcept nogil

cdef extern from "openssl/ssl.h":
    ctypedef struct SSL
    ctypedef struct SSL_CTX
    ctypedef struct SSL_METHOD
    ctypedef struct SSL_SESSION
    ctypedef struct SSL_CIPHER
    ctypedef struct SRTP_PROTECTION_PROFILE:
        unsigned long id
    int DTLS1_2_VERSION
    int SSL_VERIFY_PEER
    int SSL_VERIFY_FAIL_IF_NO_PEER_CERT
    int SSL_SESS_CACHE_OFF
    int SSL_ERROR_WANT_READ
    unsigned long SSL_OP_NO_QUERY_MTU
    unsigned long SSL_OP_NO_TICKET
    unsigned long SSL_OP_NO_RENEGOTIATION
    unsigned long SSL_OP_NO_COMPRESSION
    unsigned long SSL_OP_CIPHER_SERVER_PREFERENCE
    int TLS_ST_SR_CERT_VRFY
    int TLS_ST_SR_CHANGE
    int TLS_ST_CW_FINISHED
    int TLS_ST_CR_CHANGE

    const SSL_METHOD* DTLS_method() noexcept nogil
    SSL_CTX* SSL_CTX_new_ex(OSSL_LIB_CTX* library, const char* properties, const SSL_METHOD* method) noexcept nogil
    void SSL_CTX_free(SSL_CTX* ctx) noexcept nogil
    int SSL_CTX_set_min_proto_version(SSL_CTX* ctx, int version) noexcept nogil
    int SSL_CTX_set_max_proto_version(SSL_CTX* ctx, int version) noexcept nogil
    unsigned long SSL_CTX_set_options(SSL_CTX* ctx, unsigned long options) noexcept nogil
    long SSL_CTX_set_session_cache_mode(SSL_CTX* ctx, long mode) noexcept nogil
    long SSL_CTX_set_max_cert_list(SSL_CTX* ctx, long size) noexcept nogil
    int SSL_CTX_set_cipher_list(SSL_CTX* ctx, const char* ciphers) noexcept nogil
    int SSL_CTX_set1_groups_list(SSL_CTX* ctx, const char* groups) noexcept nogil
    int SSL_CTX_set_tlsext_use_srtp(SSL_CTX* ctx, const char* profiles) noexcept nogil
    int SSL_CTX_use_certificate(SSL_CTX* ctx, X509* x) noexcept nogil
    int SSL_CTX_use_PrivateKey(SSL_CTX* ctx, EVP_PKEY* key) noexcept nogil
    void SSL_CTX_set_verify(SSL_CTX* ctx, int mode, void* callback) noexcept nogil
    void SSL_CTX_set_cert_verify_callback(SSL_CTX* ctx, int (*cb)(X509_STORE_CTX*, void*) noexcept nogil,
                                          void* arg) noexcept nogil
    int SSL_get_ex_data_X509_STORE_CTX_idx() noexcept nogil

    SSL* SSL_new(SSL_CTX* ctx) noexcept nogil
    void SSL_free(SSL* ssl) noexcept nogil
    void SSL_set_bio(SSL* ssl, BIO* rbio, BIO* wbio) noexcept nogil
    BIO* SSL_get_rbio(const SSL* ssl) noexcept nogil
    int SSL_set_app_data(SSL* ssl, void* data) noexcept nogil
    void* SSL_get_app_data(const SSL* ssl) noexcept nogil
    long SSL_set_mtu(SSL* ssl, long mtu) noexcept nogil
    void SSL_set_accept_state(SSL* ssl) noexcept nogil
    void SSL_set_connect_state(SSL* ssl) noexcept nogil
    int SSL_do_handshake(SSL* ssl) noexcept nogil
    int SSL_get_error(const SSL* ssl, int ret) noexcept nogil
    int SSL_get_state(const SSL* ssl) noexcept nogil
    int SSL_is_init_finished(const SSL* ssl) noexcept nogil
    X509* SSL_get0_peer_certificate(const SSL* ssl) noexcept nogil
    X509* SSL_get1_peer_certificate(const SSL* ssl) noexcept nogil
    SSL_SESSION* SSL_get_session(const SSL* ssl) noexcept nogil
    size_t SSL_SESSION_get_master_key(const SSL_SESSION* session, unsigned char* out, size_t cap) noexcept nogil
    size_t SSL_get_client_random(const SSL* ssl, unsigned char* out, size_t cap) noexcept nogil
    size_t SSL_get_server_random(const SSL* ssl, unsigned char* out, size_t cap) noexcept nogil
    const SSL_CIPHER* SSL_get_current_cipher(const SSL* ssl) noexcept nogil
    unsigned int SSL_CIPHER_get_id(const SSL_CIPHER* cipher) noexcept nogil
    SRTP_PROTECTION_PROFILE* SSL_get_selected_srtp_profile(SSL* ssl) noexcept nogil
    int SSL_export_keying_material(SSL* ssl, unsigned char* out, size_t olen, const char* label, size_t llen,
                                   const unsigned char* context, size_t contextlen, int use_context) noexcept nogil
    void DTLS_set_timer_cb(SSL* ssl, unsigned int (*cb)(SSL*, unsigned int) noexcept nogil) noexcept nogil
    long DTLSv1_handle_timeout(SSL* ssl) noexcept nogil
    int DTLSv1_get_timeout(SSL* ssl, timeval* left) noexcept nogil
