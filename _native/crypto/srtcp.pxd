# SRTCP (RFC 3711 section 3.4, RFC 7714 section 9) over the keys of an SRTP context, always on libcrypto's ciphers.
#
# Rules: what is remembered of a sender changes only after the tag is verified; the send index is kept in the context (31 bits, one
# counter for all senders), grows only, and is spent even when sealing fails. A peer may leave its packets unencrypted, but not
# unauthenticated.
from simplestchat._native.core.types cimport u8
from simplestchat._native.crypto.srtp_context cimport SrtpContext

cdef enum:
    SRTCP_MAX_OVERHEAD = 20                # tag and index
    SRTCP_MAX_SOURCES = 64                 # replay windows of senders kept, least recently used dropped

# A whole RTCP compound; `out` may be `data`. Whole length or < 0.
cdef int srtcp_seal(SrtpContext* ctx, const u8* data, size_t size, u8* out, size_t cap) noexcept nogil
# Opens one packet into `out`, another buffer than `data`. Plaintext length, or E_SHORT / E_AUTH / E_REPLAY.
cdef int srtcp_open(SrtpContext* ctx, const u8* data, size_t size, u8* out, size_t cap) noexcept nogil
