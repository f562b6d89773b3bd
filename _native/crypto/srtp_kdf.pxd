# From a master key and salt to session keys (RFC 3711 section 4.3 with a key derivation rate of 0, RFC 6188 for AES-256,
# RFC 7714 section 11 for the AEAD suites).
from simplestchat._native.core.types cimport u8

cdef enum:
    SRTP_KEY_MAX = 32
    SRTP_SALT_MAX = 14
    SRTP_AUTH_KEY_SIZE = 20
    SRTP_CM_SALT_SIZE = 14
    SRTP_GCM_SALT_SIZE = 12

# Session keys of one half (RTP or RTCP).
cdef struct SrtpHalfKeys:
    u8 key[SRTP_KEY_MAX]
    u8 auth[SRTP_AUTH_KEY_SIZE]  # not used by the AEAD suites
    u8 salt[SRTP_SALT_MAX]

cdef struct SrtpSessionKeys:
    SrtpHalfKeys rtp
    SrtpHalfKeys rtcp

# `size` bytes of the keystream that label `label` derives. OK or E_INTERNAL.
cdef int srtp_prf(const u8* key, size_t key_size, const u8* salt, size_t salt_size, u8 label, u8* out, size_t size) noexcept nogil
# OK, or E_INTERNAL. The caller wipes `out`.
cdef int srtp_derive(int key_size, int salt_size, const u8* key, const u8* salt, SrtpSessionKeys* out) noexcept nogil
