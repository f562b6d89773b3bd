# For receivers that send no transport-wide feedback: their own estimate (REMB), bounded by the loss that their reports tell
# (draft-ietf-rmcat-gcc-02 section 6).
from simplestchat._native.core.types cimport u8, u64, us_t

cdef enum:
    FALLBACK_LOW = 5             # of 256: below 2 % of loss the bound grows,
    FALLBACK_HIGH = 26           # above 10 % it falls
    FALLBACK_UP_PERMILLE = 80    # a second
    FALLBACK_REMB_US = 10000000  # an REMB counts so long

cdef struct Fallback:
    u64 bps                      # by loss
    u64 remb_bps                 # 0: none came
    us_t remb_us
    us_t updated_us
    us_t lowered_us

cdef void fallback_init(Fallback* f, u64 bps, us_t now) noexcept nogil
cdef void fallback_remb(Fallback* f, u64 bps, us_t now) noexcept nogil
# most_bps: what could be used at all, 0 unknown.
cdef void fallback_loss(Fallback* f, u8 fraction, u64 most_bps, us_t rtt, us_t now) noexcept nogil
cdef u64 fallback_bps(const Fallback* f, us_t now) noexcept nogil
