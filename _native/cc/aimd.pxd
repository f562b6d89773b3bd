# The rate of the delay-based controller: up while the path is fine, down to below what arrives when its queue grows
# (draft-ietf-rmcat-gcc-02 section 5.5).
#
# Far from where the link was last found full the rate grows by a share, near it by about a packet a response time, so that flows
# that share a link come to equal shares.
from simplestchat._native.cc.overuse cimport Usage
from simplestchat._native.core.types cimport u64, us_t

cdef enum:
    AIMD_DOWN_PERMILLE = 865     # of what arrives; less may be sent already, for the source has no more: then its burst
    AIMD_BURST_PERMILLE = 950    # drains by itself, and this much is left
    AIMD_UP_PERMILLE = 80        # a second, far from the link's capacity
    AIMD_DETECTION_US = 100000   # a response takes a round trip and this
    AIMD_PACKET_BITS = 14400     # an increment: one packet and a half of 1200 bytes,
    AIMD_THIN_BPS = 300000       # and less, down to half of it, on a thinner link
    AIMD_AHEAD_PERMILLE = 1300   # never grows beyond this share of what arrives ...
    AIMD_AHEAD_BPS = 10000       # ... and this

cdef enum AimdState:
    AIMD_HOLD = 0
    AIMD_UP
    AIMD_DOWN

cdef struct Aimd:
    u64 bps
    u64 capacity_bps             # what the link carried when it was full, smoothed; 0: not known
    double deviation             # of it, relative
    us_t updated_us
    us_t lowered_us              # the last decrease
    AimdState state

cdef void aimd_init(Aimd* a, u64 bps, us_t now) noexcept nogil
# After each feedback. arrived_bps: what arrives now, 0 unknown; sent_bps: what was sent lately.
cdef void aimd_update(Aimd* a, Usage usage, u64 arrived_bps, u64 sent_bps, us_t rtt, us_t now) noexcept nogil
# A probe has shown a rate.
cdef void aimd_set(Aimd* a, u64 bps, us_t now) noexcept nogil
