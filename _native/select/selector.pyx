"""Which packets of a stream go to a receiver; see selector.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport i8, u8, u64
from simplestchat._native.select.state cimport SELECT_NO_TARGET, Selector
from simplestchat._native.wire.av1dd cimport DdStructure
from simplestchat._native.wire.facts cimport FrameFacts

cdef enum:
    _MOST = 7                    # a target above all layers that there are


cdef void selector_init(Selector* s, u8 kind) noexcept nogil:
    memset(s, 0, sizeof(Selector))
    s.kind = kind
    s.target_spatial = _MOST
    s.target_temporal = _MOST
    s.spatial = -1
    s.target = SELECT_NO_TARGET
    s.goal = SELECT_NO_TARGET


cdef void selector_begin(Selector* s, const FrameFacts* first) noexcept nogil:
    cdef u8 kind = s.kind
    cdef i8 spatial = s.target_spatial, temporal = s.target_temporal
    selector_init(s, kind)
    selector_aim(s, spatial, temporal)


cdef void selector_aim(Selector* s, i8 spatial, i8 temporal) noexcept nogil:
    s.target_spatial = spatial if spatial >= 0 else -1
    s.target_temporal = temporal if temporal >= 0 else 0


cdef int selector_packet(Selector* s, const FrameFacts* f, u64 index, const DdStructure* dd) noexcept nogil:
    if s.target_spatial < 0:
        return SELECT_DROP
    s.spatial = s.target_spatial
    return SELECT_FORWARD


cdef bint selector_wants_keyframe(const Selector* s) noexcept nogil:
    return s.target_spatial >= 0 and s.spatial < 0
