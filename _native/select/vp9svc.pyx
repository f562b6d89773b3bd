"""Layers of VP9; see vp9svc.pxd."""

from simplestchat._native.core.types cimport i8, i32, u8, u16, u64
from simplestchat._native.select.state cimport (
    SELECT_LAYERS, SELECT_PATIENCE, SELECT_PICTURES, Selector, select_advance, select_ahead, select_entry, select_wait,
)
from simplestchat._native.wire.facts cimport FrameFacts

cdef extern from *:
    int __builtin_ctzll(unsigned long long) nogil

cdef enum:
    _FORWARD = 1
    _END = 2
    # An entry of the ring: four counts of three bits, the temporal layer of the picture, and whether anything of it came.
    _COUNTS = 0x0FFF
    _TEMPORAL = 12
    _KNOWN = 0x8000
    # What became of those that a frame refers to.
    _FORWARDED = 0
    _UNCERTAIN = 1
    _LEFT_OUT = 2
    _STARVED = 3                 # pictures of the lowest temporal layer without anything to forward, until a keyframe is asked for


cdef inline u16 _count(u16 layers, int spatial) noexcept nogil:
    return (layers >> (3 * spatial)) & 7


cdef inline u16 _with_count(u16 layers, int spatial, u16 count) noexcept nogil:
    return <u16> ((layers & ~(7 << (3 * spatial))) | count << (3 * spatial))


cdef inline u16 _up_to(int spatial) noexcept nogil:
    """The bits of the counts of the layers up to this one."""
    return <u16> ((1 << (3 * (spatial + 1))) - 1)


cdef inline int _top(u16 layers, u16 temporal) noexcept nogil:
    """The highest spatial layer of which a picture of this temporal layer is forwarded; -1: none."""
    cdef int spatial = SELECT_LAYERS - 1
    while spatial >= 0 and _count(layers, spatial) <= temporal:
        spatial -= 1
    return spatial


cdef inline u16 _reduced(u16 layers, int cap, u16 want) noexcept nogil:
    """Without what is above the target; but where no layer below goes on, the higher one does until one begins."""
    cdef int spatial
    if cap < 0:
        return 0
    for spatial in range(SELECT_LAYERS):
        if _count(layers, spatial) > want:
            layers = _with_count(layers, spatial, want)
    return layers & _up_to(cap) if layers & _up_to(cap) else layers


cdef inline void _report(Selector* s) noexcept nogil:
    s.spatial = <i8> _top(s.layers, 0)
    s.temporal = <i8> (_count(s.layers, s.spatial) - 1) if s.spatial >= 0 else -1


cdef void _new_picture(Selector* s, const FrameFacts* f, u64 index, i32 ahead) noexcept nogil:
    if select_entry(s, 0)[0] >> _TEMPORAL & 7 == 0 and s.begun:
        s.broken = 0 if s.fed else s.broken + (s.broken < _STARVED)
    select_advance(s, f, index, ahead)
    s.cap = s.target_spatial
    s.want = <u8> (s.target_temporal + 1)
    s.spatial_before = s.spatial_seen
    s.spatial_seen = s.told = s.ended = s.key = s.fed = s.rising = 0
    s.layers = _reduced(s.layers, s.cap, s.want)
    select_entry(s, 0)[0] = <u16> (_KNOWN | (f.temporal_id & 7) << _TEMPORAL | s.layers)
    _report(s)
    select_wait(s, s.spatial >= 0 and s.temporal + 1 < s.want)


cdef int _references(Selector* s, const FrameFacts* f) noexcept nogil:
    """Of the pictures that the frame refers to, was its layer forwarded?"""
    cdef u64 left = f.refers
    cdef int found = _FORWARDED if f.refers_told else _UNCERTAIN
    cdef int back
    cdef u16 entry
    while left:
        back = __builtin_ctzll(left) + 1
        left &= left - 1
        if back >= SELECT_PICTURES:
            return _UNCERTAIN
        entry = select_entry(s, -back)[0]
        if not entry & _KNOWN:
            found = _UNCERTAIN
        elif _count(entry, f.spatial_id) <= (entry >> _TEMPORAL & 7):
            return _LEFT_OUT
    return found


cdef u16 _begun(const Selector* s, const FrameFacts* f, u16 count) noexcept nogil:
    """How many temporal layers go on behind a frame that refers to no other picture."""
    if f.temporal_id or f.spatial_id > s.cap or s.ended:
        return count
    # What other temporal layers of this one refer to may be older, where not all begins anew.
    return s.want if s.key or not f.inter_layer or f.switch_up else <u16> max(count, 1)


cdef u16 _continued(Selector* s, const FrameFacts* f, u16 count) noexcept nogil:
    """How many temporal layers go on with a frame that refers to other pictures."""
    cdef int references
    if count == 0 or f.temporal_id > count:
        return count
    references = _references(s, f)
    if f.temporal_id < count:
        return f.temporal_id if references == _LEFT_OUT else count
    if references == _FORWARDED and f.temporal_id < s.want and f.spatial_id <= s.cap and not s.ended:
        s.rising = 1
        return f.temporal_id + 1
    return count


cdef inline bint _needed(const Selector* s, const FrameFacts* f, u16 layers) noexcept nogil:
    """Does what is forwarded of the picture not go on without this frame?"""
    cdef int top
    if not f.unused_above or s.cap <= f.spatial_id:
        return True
    # Also the last layer of a picture that lacks higher ones has none above, unless those go on by themselves.
    top = _top(layers & _up_to(s.cap), 0)
    return top <= f.spatial_id or not s.alone >> top & 1


cdef void _leave_those_above(Selector* s, u16* entry) noexcept nogil:
    """A layer within the target goes on now: those above it are not needed any more."""
    cdef int spatial
    s.layers &= _up_to(s.cap)
    for spatial in range(s.cap + 1, SELECT_LAYERS):
        if not s.told >> spatial & 1:
            entry[0] = _with_count(entry[0], spatial, 0)


cdef void _decide(Selector* s, const FrameFacts* f, u16* entry) noexcept nogil:
    """The first packet of a frame of the newest picture: does its layer go on?"""
    cdef u8 spatial = f.spatial_id
    cdef u16 before = _count(entry[0], spatial)
    cdef u16 count = before
    cdef bint sound = not f.inter_layer or f.temporal_id < _count(entry[0], spatial - 1)
    s.told |= 1 << spatial
    if spatial > s.spatial_seen:
        s.spatial_seen = spatial
    if spatial == 0:
        s.key = not f.predicted
    if not f.inter_layer:
        s.alone |= 1 << spatial
    elif not s.key:              # K-SVC refers to the layer below in keyframes only
        s.alone &= ~(1 << spatial)
    if not sound:
        count = min(before, <u16> f.temporal_id)
    elif f.predicted:
        count = _continued(s, f, before)
    else:
        count = _begun(s, f, before)
    if f.temporal_id < count and not _needed(s, f, entry[0]):
        count = f.temporal_id
    if count != before:
        entry[0] = _with_count(entry[0], spatial, count)
        s.layers = _with_count(s.layers, spatial, count)
    if f.temporal_id < count and spatial <= s.cap:
        if s.layers & ~_up_to(s.cap):
            _leave_those_above(s, entry)
        if f.switch_up and count < s.want:
            s.layers = _with_count(s.layers, spatial, s.want)


cdef inline bint _more_may_follow(const Selector* s, const FrameFacts* f) noexcept nogil:
    """May a higher layer begin in this very picture, or join in as this one did?"""
    return f.spatial_id < s.cap and (
        not f.predicted or s.spatial_before <= f.spatial_id
        or (s.rising and _count(s.layers, f.spatial_id + 1) == f.temporal_id)
    )


cdef int vp9_packet(Selector* s, const FrameFacts* f, u64 index) noexcept nogil:
    cdef i32 ahead = select_ahead(s, f, index)
    cdef u16* entry
    if f.spatial_id >= SELECT_LAYERS or ahead <= -<i32> SELECT_PICTURES:
        return 0
    if ahead > 0:
        _new_picture(s, f, index, ahead)
        ahead = 0
    entry = select_entry(s, ahead)
    if ahead == 0 and not s.told >> f.spatial_id & 1:
        _decide(s, f, entry)
        _report(s)
    elif not entry[0] & _KNOWN:
        entry[0] = <u16> (_KNOWN | (f.temporal_id & 7) << _TEMPORAL | (entry[0] & _COUNTS))
    if f.temporal_id >= _count(entry[0], f.spatial_id):
        return 0
    if ahead == 0:
        s.fed = 1
    elif f.inter_layer and f.temporal_id >= _count(entry[0], f.spatial_id - 1):
        return 0                 # which of the newest picture was looked at when its layer was decided
    if not f.ends_frame or f.ends_picture or _top(entry[0], f.temporal_id) != f.spatial_id:
        return _FORWARD
    if ahead == 0:
        if _more_may_follow(s, f):
            return _FORWARD
        s.ended = 1
    return _FORWARD | _END


cdef bint vp9_wants_keyframe(const Selector* s) noexcept nogil:
    cdef i8 sent = <i8> max(s.spatial_before, s.spatial_seen)
    return (s.spatial < min(s.target_spatial, sent) or s.spatial > s.target_spatial or s.spatial < 0
            or s.broken >= _STARVED or s.waited >= SELECT_PATIENCE)
