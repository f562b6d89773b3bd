"""Temporal layers alone; see temporal.pxd."""

from simplestchat._native.core.types cimport i8, i32, u16, u64
from simplestchat._native.select.state cimport (
    SELECT_PICTURES, Selector, select_advance, select_ahead, select_entry, select_wait,
)
from simplestchat._native.wire.facts cimport FrameFacts


cdef void _new_picture(Selector* s, const FrameFacts* f, u64 index, i32 ahead) noexcept nogil:
    """How many temporal layers are forwarded from this picture on."""
    cdef u16 want = <u16> (s.target_temporal + 1) if s.target_spatial >= 0 else 0
    cdef u16 count
    select_advance(s, f, index, ahead)
    count = s.layers
    if f.keyframe or count > want:
        count = want
    elif 0 < count < want and f.switch_in and f.temporal_id == count:
        count += 1
    s.layers = count
    select_entry(s, 0)[0] = count
    select_wait(s, count < want)
    s.spatial = 0 if count else -1
    s.temporal = <i8> count - 1


cdef int temporal_packet(Selector* s, const FrameFacts* f, u64 index) noexcept nogil:
    cdef i32 ahead = select_ahead(s, f, index)
    if ahead > 0:
        _new_picture(s, f, index, ahead)
        ahead = 0
    elif ahead <= -<i32> SELECT_PICTURES:
        return 0
    elif ahead == 0 and f.keyframe and s.layers:
        # What told that it is one came behind another packet of it.
        _new_picture(s, f, index, 0)
    return f.temporal_id < select_entry(s, ahead)[0]
