# Senders on an emulated path: media that follows its estimate, media in steps, and what competes with them.
from simplestchat._native.cc.bwe cimport Bwe
from simplestchat._native.core.types cimport i32, u8, u16, u32, u64, us_t
from simplestchat._native.testing.cc_path cimport Path
from simplestchat._native.testing.cc_receiver cimport Receiver

cdef enum:
    FLOW_PACKET = 1200           # bytes
    FLOW_STEPS = 8
    FLOW_ACKS = 16384
    FLOW_FRAME_US = 33333
    FLOW_CHOOSE_US = 200000      # between two looks at the estimate

cdef enum FlowKind:
    FLOW_FILLS = 0               # sends what the estimate says
    FLOW_LAYERS                  # voice and the highest step that fits, as an SFU does
    FLOW_TCP                     # a window, Reno's rules, always something to send
    FLOW_BLIND                   # at a fixed rate, and hears nothing

cdef struct Ack:
    us_t at_us
    bint lost

cdef struct Flow:
    FlowKind kind
    u32 index
    us_t begins_us
    u64 delivered                # bytes
    u64 sent
    u64 probed
    u64 lost                     # packets
    u64 packets
    # Media.
    Bwe* bwe
    Receiver* receiver
    us_t frame_us
    us_t voice_us
    us_t choose_us
    us_t spaced_us               # pacer: when the next packet may leave
    us_t probe_us
    us_t tick_us
    us_t raised_us
    u64 backlog                  # bytes of frames that wait for the pacer
    u64 rate_bps                 # of the source, when the estimate does not say it
    u64 most_bps                 # that a filling source would take
    u64 steps[FLOW_STEPS]
    u32 step_count
    i32 step                     # -1: voice only
    bint voice
    bint silent                  # does not send; for a while
    # TCP.
    double window
    double threshold
    u64 number
    u32 in_flight
    us_t halved_us
    us_t heard_us
    Ack* acks
    u32 ack_first
    u32 ack_count

cdef bint flow_open(Flow* f, u64 start_bps, us_t now) noexcept nogil
cdef void flow_close(Flow* f) noexcept nogil
cdef void flow_step(Flow* f, Path* path, us_t now) noexcept nogil
# A packet of this flow left the path.
cdef void flow_arrives(Flow* f, const Path* path, u64 number, u32 size, us_t at) noexcept nogil
