# How much may be sent to one receiver: the estimate of one transport, from what its receiver says of the packets that it got.
#
# Each stage is a module of its own: history (what left), rate, delay (the standing queue), groups, trendline, overuse (does the
# queue grow?), aimd (the delay-based bound), loss (the loss-based bound), probe (is there room for more?), fallback (receivers
# without transport-wide feedback). Nothing here allocates but the history, which grows with the rate up to a cap, and nothing walks
# an array per packet that is sent.
from simplestchat._native.cc.aimd cimport Aimd
from simplestchat._native.cc.delay cimport Delay
from simplestchat._native.cc.fallback cimport Fallback
from simplestchat._native.cc.groups cimport Groups
from simplestchat._native.cc.history cimport History
from simplestchat._native.cc.loss cimport Loss
from simplestchat._native.cc.overuse cimport Overuse, Usage
from simplestchat._native.cc.probe cimport Probe
from simplestchat._native.cc.rate cimport Rate
from simplestchat._native.cc.trendline cimport Trendline
from simplestchat._native.core.types cimport i32, i64, u8, u16, u32, u64, us_t
from simplestchat._native.wire.twcc cimport TwccPacket, TwccView

cdef enum:
    BWE_NEVER_US = 0x7FFFFFFFFFFFFFFF
    BWE_ENOUGH_PERCENT = 112     # of all that is wanted: with the allocator's margin all of it is sent
    BWE_LEAST_BPS = 30000        # less carries no voice
    BWE_MOST_BPS = 200000000     # no receiver is sent more, whatever it says
    BWE_SILENCE_US = 1000000     # beyond two round trips without feedback about what was sent: half the rate ...
    BWE_SILENT_US = 500000       # ... and again after so long
    BWE_TICK_US = 250000         # between two ticks
    BWE_BUSY_US = 100000         # a queue that has been there for less is a burst's
    BWE_STANDS_US = 500000       # of one that has been there for longer the rate of arrival tells more
    BWE_PROBE_QUEUE_US = 60000   # no probe while the queue stands longer
    BWE_PROBE_TICK_US = 50000    # when to ask again for a probe that may not begin yet

cdef struct Bwe:
    u64 estimate_bps             # what may be sent now, all of it: media, repairs, probes; bits of UDP payload
    # For reading.
    u64 delay_bps                # bound of the delay-based controller
    u64 loss_bps                 # bound of the loss-based controller
    u64 arrived_bps              # what arrives, by the receiver's clock
    u64 sent_bps                 # what left in the last half second
    u64 next_step_bps            # the wish: see bwe_want
    u64 all_bps
    us_t rtt_us
    us_t queue_us                # how long packets stand in the path's queue
    us_t feedback_us             # when the last one came
    double slope                 # of the delay, ms a ms
    double threshold_ms          # what the trend's value is compared with
    double trend_ms
    double loss                  # 0..1
    Usage usage                  # the detector's verdict
    # The stages.
    History history
    Rate sent
    Rate arrived
    Delay delay
    Groups groups
    Trendline trend
    Overuse overuse
    Aimd aimd
    Loss losses
    Probe probe
    Fallback fallback
    us_t sent_us                 # the last packet
    us_t unheard_us              # when the first packet left that no feedback came after; 0: none
    us_t halved_us               # the last time that silence halved the rate
    us_t back_us                 # when the path came back from silence; what was lost before says nothing
    us_t reported_us             # the last bwe_rtt; 0: none
    us_t arrival_us              # the latest arrival, on the receiver's clock, without wrapping
    i64 reference                # of the last feedback, without wrapping
    bint heard                   # a feedback came

cdef Bwe* bwe_new(u64 start_bps, us_t now) noexcept nogil
cdef void bwe_free(Bwe* b) noexcept nogil
# The number of the next packet (transport-wide, 16 bits go on the wire), and that it leaves now. size: UDP payload bytes.
# cluster: 0, or the probe cluster that it belongs to. Called for every media, RTX and probe packet.
cdef u16 bwe_send(Bwe* b, u32 size, us_t now, u32 cluster) noexcept nogil
# A feedback, parsed from hostile bytes. What is old, repeated, out of order or a lie does no harm to others.
cdef void bwe_feedback(Bwe* b, const TwccView* view, const TwccPacket* packets, us_t now) noexcept nogil
# Receivers without transport-cc: REMB, and the loss that their reports tell (fraction 0..255 as in RFC 3550).
cdef void bwe_remb(Bwe* b, u64 bitrate_bps, us_t now) noexcept nogil
cdef void bwe_loss(Bwe* b, u8 fraction, us_t now) noexcept nogil
cdef void bwe_rtt(Bwe* b, us_t rtt, us_t now) noexcept nogil
# What could be used: the estimate at which the next step up would happen, and what all that is wanted takes. 0, 0: nothing more.
cdef void bwe_want(Bwe* b, u64 next_step_bps, u64 all_bps, us_t now) noexcept nogil
# Timers; the next deadline, or BWE_NEVER_US.
cdef us_t bwe_tick(Bwe* b, us_t now) noexcept nogil
# Is a probe packet due? 1, its cluster and size: the caller sends about that much, tells it by bwe_send with the cluster, and asks
# again. 0: none, and *next_us is when to ask again; after bwe_feedback or bwe_want it may be sooner.
cdef bint bwe_probe(Bwe* b, us_t now, u32* cluster, u32* size, us_t* next_us) noexcept nogil
cdef u64 bwe_bytes(const Bwe* b) noexcept nogil      # of memory
