# Frames of a subscribed video: whole when all parts came, shown in order, and the freezes that a viewer would see.
#
# Rules:
#  - A frame is shown when it is whole and a keyframe, or the one before it on its encoding was shown.
#  - A frame that began is broken when a later keyframe is shown before it, when another one needs its place, or when its time is over.
#  - freeze (W3C webrtc-stats freezeCount): no frame shown for max(3 * mean, mean + 150 ms); mean of the last FRAMES_INTERVALS.
#    One that lasts when the stream ends counts up to the last part that came: silence alone may be the publisher's own.
from simplestchat._native.core.histogram cimport Histogram
from simplestchat._native.core.types cimport i64, u16, u32, u64, u8, us_t
from simplestchat._native.peer.stamp cimport Stamp

cdef enum:
    FRAMES_PLACES = 64           # frames that can be incomplete or wait at a time: a second of 60 fps
    FRAMES_INTERVALS = 30
    FRAMES_TEMPORAL = 3          # layers
    FRAMES_TEMPORAL_US = 500000  # one of which nothing is shown for so long is not received

cdef struct FramePlace:
    us_t due_us
    u32 frame
    u16 parts
    u16 have
    u8 layer
    u8 keyframe
    u8 used

cdef struct Frames:
    FramePlace* places           # by frame % FRAMES_PLACES; owned by the caller
    i64 shown                    # number of the last one shown, -1 none
    i64 over                     # nothing begins up to this one any more
    us_t shown_us                # when that was, 0 never
    us_t part_us                 # when a part last came that was not late
    us_t blocked_us              # since when a whole frame waits for one before it, 0 none does
    us_t first_us                # first one shown, 0 never
    u64 interval_sum
    u32 intervals[FRAMES_INTERVALS]
    u8 interval_count
    u8 interval_at
    u8 shown_layer               # its encoding
    u8 spatial                   # and the layers in that
    us_t temporal_us[FRAMES_TEMPORAL]    # when one of each temporal layer was last shown, 0 never
    u64 count                    # shown
    u64 keyframes                # of these
    u64 broken
    u64 freezes
    u64 freeze_us

cdef void frames_init(Frames* f, FramePlace* places) noexcept nogil
# One part, never the same twice. `current`: of the encoding that is coming now, not a late one of another. `latency` gets
# the time from due to shown.
cdef void frames_part(Frames* f, const Stamp* stamp, bint current, us_t arrival, Histogram* latency) noexcept nogil
# A frame is shown that somebody else put together.
cdef void frames_shown(Frames* f, u32 frame, u8 layer, u8 spatial, u8 temporal, bint keyframe, us_t due_us, us_t arrival,
                       Histogram* latency) noexcept nogil
# The layers that are shown now: encoding or spatial layer << 8, and temporal layer; 0xFFFF before the first frame.
cdef u16 frames_layers(const Frames* f) noexcept nogil
# What was due before `due_us` and is not shown by now is broken.
cdef void frames_expire(Frames* f, us_t due_us) noexcept nogil
# The stream ends: a freeze that lasts counts.
cdef void frames_end(Frames* f) noexcept nogil
# Everything begins anew, as at first; what is not shown by now is broken.
cdef void frames_restart(Frames* f) noexcept nogil
