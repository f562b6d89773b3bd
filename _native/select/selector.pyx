"""Which packets of a stream go to a receiver; see selector.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport i8, u8, u64
from simplestchat._native.select.av1dd cimport av1_packet, av1_wants_keyframe
from simplestchat._native.select.state cimport (
    SELECT_FRAMES, SELECT_LAYERS, SELECT_LEFT_OUT_FRAME, SELECT_LEFT_OUT_PICTURE, SELECT_MOST_TEMPORAL, SELECT_NO_TARGET,
    SELECT_PATIENCE, SELECT_PICTURES, Selector,
)
from simplestchat._native.select.temporal cimport temporal_packet
from simplestchat._native.select.vp9svc cimport vp9_packet, vp9_wants_keyframe
from simplestchat._native.wire.av1dd cimport DdStructure
from simplestchat._native.wire.facts cimport FrameFacts


cdef void selector_init(Selector* s, u8 kind) noexcept nogil:
    cdef int i
    memset(s, 0, sizeof(Selector))
    s.kind = kind
    s.spatial = s.temporal = s.goal_spatial = -1
    s.target = s.goal = SELECT_NO_TARGET
    s.aimed = s.over = 1
    # Nothing before the run was forwarded.
    if kind == SELECT_AV1:
        memset(s.ring.frames, SELECT_LEFT_OUT_FRAME, SELECT_FRAMES)
    else:
        for i in range(SELECT_PICTURES):
            s.ring.pictures[i] = SELECT_LEFT_OUT_PICTURE
    selector_aim(s, SELECT_LAYERS - 1, SELECT_MOST_TEMPORAL)


cdef void selector_begin(Selector* s, const FrameFacts* first) noexcept nogil:
    cdef i8 spatial = s.target_spatial, temporal = s.target_temporal
    selector_init(s, s.kind)
    selector_aim(s, spatial, temporal)


cdef void selector_aim(Selector* s, i8 spatial, i8 temporal) noexcept nogil:
    s.target_spatial = max(<i8> -1, min(spatial, <i8> (SELECT_LAYERS - 1)))
    s.target_temporal = max(<i8> 0, min(temporal, <i8> SELECT_MOST_TEMPORAL))
    s.aimed = 1


cdef int selector_packet(Selector* s, const FrameFacts* f, u64 index, const DdStructure* dd) noexcept nogil:
    if s.kind == SELECT_TEMPORAL:
        return temporal_packet(s, f, index)
    if s.kind == SELECT_VP9:
        return vp9_packet(s, f, index)
    if s.kind == SELECT_AV1:
        return av1_packet(s, f, dd)
    s.spatial = s.temporal = 0 if s.target_spatial >= 0 else -1
    return SELECT_FORWARD if s.target_spatial >= 0 else SELECT_DROP


cdef bint selector_wants_keyframe(const Selector* s) noexcept nogil:
    if s.target_spatial < 0 or s.kind == SELECT_ALL:
        return False
    if s.kind == SELECT_VP9:
        return vp9_wants_keyframe(s)
    if s.kind == SELECT_AV1:
        return av1_wants_keyframe(s)
    return s.spatial < 0 or s.waited >= SELECT_PATIENCE
