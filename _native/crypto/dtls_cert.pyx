"""The worker's DTLS certificate; the contract is in dtls_cert.pxd."""

from simplestchat._native.core.types cimport E_INTERNAL, OK, u64
from simplestchat._native.crypto.openssl cimport (
    ASN1_INTEGER_set_uint64, EVP_EC_gen, EVP_PKEY, EVP_PKEY_free, EVP_sha256, MBSTRING_ASC, RAND_bytes, X509, X509_free,
    X509_get_serialNumber, X509_get_subject_name, X509_getm_notAfter, X509_getm_notBefore, X509_gmtime_adj, X509_NAME,
    X509_NAME_add_entry_by_txt, X509_new, X509_set_issuer_name, X509_set_pubkey, X509_set_version, X509_sign,
)

cdef enum:
    X509_VERSION_3 = 2
    BEGINS_S = -86400                # a day ago: clocks differ
    ENDS_S = 10 * 365 * 86400        # a worker makes a new one each time it starts; peers look at the digest alone


cdef bint _fill(X509* cert, EVP_PKEY* key) noexcept nogil:
    cdef u64 serial = 0
    cdef X509_NAME* name = X509_get_subject_name(cert)
    if RAND_bytes(<unsigned char*>&serial, sizeof(serial)) != 1:
        return False
    return (
        X509_set_version(cert, X509_VERSION_3) == 1
        and ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1
        and X509_gmtime_adj(X509_getm_notBefore(cert), BEGINS_S) != NULL
        and X509_gmtime_adj(X509_getm_notAfter(cert), ENDS_S) != NULL
        and X509_NAME_add_entry_by_txt(name, b"CN", MBSTRING_ASC, b"WebRTC", -1, -1, 0) == 1
        and X509_set_issuer_name(cert, name) == 1
        and X509_set_pubkey(cert, key) == 1
        and X509_sign(cert, key, EVP_sha256()) > 0
    )


cdef int dtls_certificate(EVP_PKEY** key_out, X509** cert_out) noexcept nogil:
    cdef EVP_PKEY* key = EVP_EC_gen(b"P-256")
    cdef X509* cert = X509_new()
    if key == NULL or cert == NULL or not _fill(cert, key):
        EVP_PKEY_free(key)
        X509_free(cert)
        return E_INTERNAL
    key_out[0] = key
    cert_out[0] = cert
    return OK
