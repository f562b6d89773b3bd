# The nonce rule, checked while media flows: one index of one key and SSRC never seals two different packets.
#
# Off (the default) it costs the sealing functions one predictable branch. On, a 64-bit hash of (header || plaintext) is kept
# for each of the last TAINT_CAPACITY sealed packets; sealing the same bytes again at the same index is not a repeat.
# SIMPLESTCHAT_TAINT=1 in the environment switches it on at import.
from simplestchat._native.core.types cimport u8, u32, u64

cdef enum:
    TAINT_CAPACITY = 1 << 18     # packets remembered; the oldest is forgotten
    TAINT_BUCKETS = 1 << 17
    TAINT_RTCP_BIT = 63          # set in the index of an SRTCP packet; indices have 48 bits at most

cdef bint taint_on

cdef int taint_switch(bint on) noexcept nogil        # OK or E_NOMEM; switching off forgets everything, the count too
# `key_id` tells master keys apart, so that a key which comes back in another context is caught too.
cdef void taint_record(u64 key_id, u32 ssrc, u64 index, const u8* header, size_t header_size, const u8* prefix,
                       size_t prefix_size, const u8* payload, size_t payload_size) noexcept nogil
cdef u64 taint_repeats() noexcept nogil              # different packets sealed at an index that was used
cdef u64 taint_records() noexcept nogil              # packets looked at
