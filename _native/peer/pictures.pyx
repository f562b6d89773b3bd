"""Pictures from frames in layers; see pictures.pxd for the contract."""

from libc.stdlib cimport calloc
from libc.string cimport memset

from simplestchat._native.core.histogram cimport Histogram
from simplestchat._native.core.types cimport i64, u8, u32, us_t
from simplestchat._native.peer.frames cimport Frames, frames_shown
from simplestchat._native.peer.scalability cimport SCALABILITY_MAX
from simplestchat._native.peer.stamp cimport STAMP_KEYFRAME, Stamp

cdef enum:
    _COLLECTING = 1
    _SHOWN = 2


cdef Pictures* pictures_new() noexcept nogil:
    return <Pictures*> calloc(1, sizeof(Pictures))


cdef inline void _break(Picture* one, Frames* f) noexcept nogil:
    if one.state == _COLLECTING:
        f.broken += 1
        if <i64> one.frame > f.over:
            f.over = one.frame
    one.state = 0


cdef void pictures_expire(Pictures* p, Frames* f, us_t due_us) noexcept nogil:
    cdef int i
    for i in range(PICTURES_PLACES):
        if p.places[i].state == _COLLECTING and p.places[i].due_us < due_us:
            _break(&p.places[i], f)


cdef inline bint _whole(const Picture* one) noexcept nogil:
    cdef int i
    for i in range(SCALABILITY_MAX):
        if one.have[i] != one.parts[i]:
            return False
    return one.over


# The layers of a picture that can be decoded, a bit each.
cdef u8 _decodable(const Pictures* p, const Picture* one) noexcept nogil:
    cdef const Picture* before = &p.places[(one.frame - one.back) % PICTURES_PLACES]
    cdef u8 referred = 0xFF, found = 0
    cdef int i
    if one.back:
        if before.state != _SHOWN or before.frame != one.frame - one.back or before.encoding != one.encoding:
            return 0
        referred = before.decoded
    for i in range(SCALABILITY_MAX):
        if one.parts[i] == 0 or not referred >> i & 1:
            continue
        if one.inter_layer >> i & 1 and not found << 1 >> i & 1:
            continue
        found |= <u8> (1 << i)
    return found


cdef inline u8 _best(u8 layers) noexcept nogil:
    return 2 if layers & 4 else layers >> 1 & 1


cdef void _show(Pictures* p, Frames* f, Picture* one, us_t arrival, Histogram* latency) noexcept nogil:
    cdef i64 frame
    # What is left behind can never be shown.
    for frame in range(max(f.shown + 1, <i64> one.frame - PICTURES_PLACES + 1), <i64> one.frame):
        if p.places[frame % PICTURES_PLACES].frame == frame:
            _break(&p.places[frame % PICTURES_PLACES], f)
    one.state = _SHOWN
    frames_shown(f, one.frame, one.encoding, _best(one.decoded), one.temporal, one.keyframe, one.due_us, arrival, latency)


# Shows the next one that can be; False when there is none.
cdef bint _show_next(Pictures* p, Frames* f, us_t arrival, Histogram* latency) noexcept nogil:
    cdef Picture* one
    cdef i64 frame
    cdef bint waits = False
    # Of another encoding, the picture that was shown may come again.
    for frame in range(max(f.shown, <i64> p.newest - PICTURES_PLACES + 1), <i64> p.newest + 1):
        one = &p.places[frame % PICTURES_PLACES]
        if one.frame != frame or one.state != _COLLECTING:
            continue
        one.decoded = _decodable(p, one) if _whole(one) else 0
        if one.decoded == 0:
            waits = True
            if one.over and f.blocked_us == 0 and _whole(one):
                f.blocked_us = arrival
            continue
        if not waits or one.keyframe or (f.blocked_us and arrival - f.blocked_us >= PICTURES_WAIT_US):
            _show(p, f, one, arrival, latency)
            return True
        if f.blocked_us == 0:
            f.blocked_us = arrival
        return False
    return False


# The place of a part's picture; NULL when that is over.
cdef Picture* _place(Pictures* p, Frames* f, const Stamp* stamp) noexcept nogil:
    cdef Picture* one = &p.places[stamp.frame % PICTURES_PLACES]
    if one.state and one.frame == stamp.frame and one.encoding == stamp.layer:
        return one if one.state == _COLLECTING else NULL
    if <i64> stamp.frame < f.shown or <i64> stamp.frame <= f.over or (<i64> stamp.frame == f.shown and stamp.layer == f.shown_layer):
        return NULL
    if one.state == _COLLECTING and one.frame > stamp.frame:
        return NULL
    _break(one, f)
    memset(one, 0, sizeof(Picture))
    one.state = _COLLECTING
    one.due_us = stamp.sent_us
    one.frame = stamp.frame
    one.encoding = stamp.layer
    one.keyframe = stamp.flags & STAMP_KEYFRAME
    one.temporal = stamp.temporal
    one.back = stamp.back
    return one


cdef void pictures_part(Pictures* p, Frames* f, const Stamp* stamp, bint marker, us_t arrival, Histogram* latency) noexcept nogil:
    cdef Picture* one = _place(p, f, stamp)
    if one is NULL:
        return
    if stamp.frame > p.newest:
        p.newest = stamp.frame
    f.part_us = arrival
    one.have[stamp.spatial] += 1
    one.parts[stamp.spatial] = stamp.parts
    one.inter_layer |= <u8> (stamp.inter_layer << stamp.spatial)
    one.over |= marker
    while _show_next(p, f, arrival, latency):
        pass
