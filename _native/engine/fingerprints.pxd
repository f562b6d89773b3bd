# Fingerprints of certificates from and to Python: (algorithm, "AB:CD:…") as in SDP (RFC 8122 section 5).
from simplestchat._native.core.types cimport u32, u8
from simplestchat._native.crypto.dtls_context cimport DtlsContext

cdef struct Digest:
    int hash                       # of DtlsHash
    u32 size
    u8 bytes[64]

# The strongest that we know among what a peer says of its certificate. MisuseError for none, or one that is malformed.
cdef int fingerprint_read(Digest* out, list fingerprints) except -1
# Those of our certificate, for every algorithm we speak.
cdef list fingerprints_of(DtlsContext* dtls)
