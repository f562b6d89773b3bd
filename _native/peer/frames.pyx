"""Frames from parts; see frames.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.histogram cimport Histogram, histogram_add
from simplestchat._native.core.types cimport i64, u8, u16, u32, u64, us_t
from simplestchat._native.peer.stamp cimport STAMP_KEYFRAME, Stamp

cdef enum:
    _FREEZE_US = 150000
    _MAX_INTERVAL = 0xFFFFFFFF


cdef void frames_init(Frames* f, FramePlace* places) noexcept nogil:
    memset(f, 0, sizeof(Frames))
    f.places = places
    f.shown = f.over = -1


cdef inline void _drop(Frames* f, FramePlace* place) noexcept nogil:
    if place.used:
        place.used = 0
        f.broken += 1


cdef void frames_expire(Frames* f, us_t due_us) noexcept nogil:
    cdef int i
    for i in range(FRAMES_PLACES):
        if f.places[i].used and f.places[i].due_us < due_us:
            if <i64> f.places[i].frame > f.over:
                f.over = f.places[i].frame
            _drop(f, &f.places[i])


cdef void frames_restart(Frames* f) noexcept nogil:
    cdef int i
    for i in range(FRAMES_PLACES):
        if f.places[i].used and <i64> f.places[i].frame > f.over:
            f.over = f.places[i].frame
        _drop(f, &f.places[i])
    if f.shown > f.over:
        f.over = f.shown
    f.shown = -1
    f.shown_us = f.part_us = f.blocked_us = f.first_us = 0
    f.interval_sum = 0
    f.interval_count = f.interval_at = 0


cdef inline u32 _length(us_t interval) noexcept nogil:
    return <u32> min(max(interval, <us_t> 0), <us_t> _MAX_INTERVAL)


# Counts a freeze if it is one.
cdef bint _freeze(Frames* f, u32 length) noexcept nogil:
    cdef u64 mean
    if f.interval_count == 0:
        return False
    mean = f.interval_sum // f.interval_count
    if length <= max(3 * mean, mean + _FREEZE_US):
        return False
    f.freezes += 1
    f.freeze_us += length
    return True


cdef void frames_end(Frames* f) noexcept nogil:
    if f.shown_us and _freeze(f, _length(f.part_us - f.shown_us)):
        f.shown_us = f.part_us       # what is still shown later is not the end of this one


cdef void _interval(Frames* f, us_t interval) noexcept nogil:
    cdef u32 length = _length(interval)
    _freeze(f, length)
    if f.interval_count < FRAMES_INTERVALS:
        f.interval_count += 1
    else:
        f.interval_sum -= f.intervals[f.interval_at]
    f.intervals[f.interval_at] = length
    f.interval_sum += length
    f.interval_at = (f.interval_at + 1) % FRAMES_INTERVALS


cdef void frames_shown(Frames* f, u32 frame, u8 layer, u8 spatial, u8 temporal, bint keyframe, us_t due_us, us_t arrival,
                       Histogram* latency) noexcept nogil:
    f.count += 1
    f.keyframes += keyframe
    if f.shown_us:
        _interval(f, arrival - f.shown_us)
    if f.first_us == 0:
        f.first_us = arrival
    f.shown = frame
    f.shown_layer = layer
    f.spatial = spatial
    f.temporal_us[temporal] = f.shown_us = arrival
    f.blocked_us = 0
    histogram_add(latency, arrival - due_us)


cdef inline void _show(Frames* f, FramePlace* place, us_t arrival, Histogram* latency) noexcept nogil:
    place.used = 0
    frames_shown(f, place.frame, place.layer, 0, 0, place.keyframe, place.due_us, arrival, latency)


cdef u16 frames_layers(const Frames* f) noexcept nogil:
    cdef u16 temporal = FRAMES_TEMPORAL - 1
    if f.shown < 0:
        return 0xFFFF
    while temporal and (f.temporal_us[temporal] == 0 or f.shown_us - f.temporal_us[temporal] > FRAMES_TEMPORAL_US):
        temporal -= 1
    return (f.shown_layer + f.spatial) << 8 | temporal


# What a keyframe leaves behind can never be shown.
cdef void _leave_behind(Frames* f, u32 frame) noexcept nogil:
    cdef int i
    for i in range(FRAMES_PLACES):
        if f.places[i].used and f.places[i].frame < frame:
            _drop(f, &f.places[i])


cdef inline bint _follows(const Frames* f, const FramePlace* place) noexcept nogil:
    return <i64> place.frame == f.shown + 1 and place.layer == f.shown_layer and f.shown >= 0


cdef void _whole(Frames* f, FramePlace* place, us_t arrival, Histogram* latency) noexcept nogil:
    if not place.keyframe and not _follows(f, place):
        if f.blocked_us == 0:
            f.blocked_us = arrival
        return
    if place.keyframe:
        _leave_behind(f, place.frame)
    _show(f, place, arrival, latency)
    while True:
        place = &f.places[(f.shown + 1) % FRAMES_PLACES]
        if not place.used or place.have < place.parts or not _follows(f, place):
            return
        _show(f, place, arrival, latency)


# The place of a part's frame; NULL when the frame is over.
cdef FramePlace* _place(Frames* f, const Stamp* stamp, bint current) noexcept nogil:
    cdef FramePlace* place = &f.places[stamp.frame % FRAMES_PLACES]
    cdef bint switched = current and f.shown >= 0 and stamp.layer != f.shown_layer
    if place.used and place.frame == stamp.frame and place.layer == stamp.layer:
        return place
    # The picture that was shown of another encoding may come again as the keyframe of this one.
    if <i64> stamp.frame < f.shown or <i64> stamp.frame <= f.over or (<i64> stamp.frame == f.shown and not switched):
        return NULL
    if place.used and (not current or place.frame > stamp.frame):
        return NULL
    _drop(f, place)
    place.due_us = stamp.sent_us
    place.frame = stamp.frame
    place.parts = stamp.parts
    place.have = 0
    place.layer = stamp.layer
    place.keyframe = stamp.flags & STAMP_KEYFRAME
    place.used = 1
    return place


cdef void frames_part(Frames* f, const Stamp* stamp, bint current, us_t arrival, Histogram* latency) noexcept nogil:
    cdef FramePlace* place = _place(f, stamp, current)
    if place is NULL:
        return
    place.have += 1
    f.part_us = arrival
    if place.have == place.parts:
        _whole(f, place, arrival, latency)
