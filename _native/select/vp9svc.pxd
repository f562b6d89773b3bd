# Spatial and temporal layers of VP9 (RFC 9628): SVC, K-SVC and simulcast in one stream, flexible or not.
#
# Of each spatial layer it is known how many temporal layers have been forwarded without a gap. A frame is forwarded when it is within
# them; when nothing above needs it, it is left out, and its layer cannot be gone back to. A spatial layer is begun with a frame that
# refers to no other picture, more temporal ones behind a switching point (U), or where the references that are told were forwarded.
from simplestchat._native.core.types cimport u64
from simplestchat._native.select.state cimport Selector
from simplestchat._native.wire.facts cimport FrameFacts

cdef int vp9_packet(Selector* s, const FrameFacts* f, u64 index) noexcept nogil
cdef bint vp9_wants_keyframe(const Selector* s) noexcept nogil
