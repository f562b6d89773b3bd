# What DTLS associations share: one key, one certificate and settings of libssl, and how a peer's certificate is judged.
from simplestchat._native.core.types cimport u8
from simplestchat._native.crypto.openssl cimport SSL_CTX, X509

cdef enum DtlsHash:
    HASH_SHA256 = 0
    HASH_SHA384 = 1
    HASH_SHA512 = 2

# An ECDSA P-256 key and its certificate, made once; one per worker.
cdef struct DtlsContext:
    SSL_CTX* ssl
    X509* cert

# The announced digest of a peer's certificate. Every SSL has its own as app data.
cdef struct Expected:
    u8 hash
    u8 size                          # 0: none announced yet
    u8 met                           # by the certificate that libssl was shown
    u8 digest[64]

cdef DtlsContext* dtls_context_new() noexcept nogil          # NULL when libssl failed
cdef void dtls_context_free(DtlsContext* ctx) noexcept nogil
# Size of the digest written to out (64 bytes at least), or < 0.
cdef int dtls_context_fingerprint(DtlsContext* ctx, int hash, u8* out) noexcept nogil
# The SRTP suites that new associations offer or take, as OpenSSL names them, with colons between. OK or E_UNSUPPORTED.
cdef int dtls_context_suites(DtlsContext* ctx, const char* names) noexcept nogil

cdef int expected_set(Expected* expected, int hash, const u8* digest, size_t size) noexcept nogil    # OK, E_UNSUPPORTED, E_MALFORMED
cdef bint expected_matches(const Expected* expected, const X509* cert) noexcept nogil
