# A self-signed certificate for DTLS: peers believe its fingerprint, not its contents.
from simplestchat._native.crypto.openssl cimport EVP_PKEY, X509

# An ECDSA P-256 key and a certificate for it, both owned by the caller. OK or E_INTERNAL.
cdef int dtls_certificate(EVP_PKEY** key_out, X509** cert_out) noexcept nogil
