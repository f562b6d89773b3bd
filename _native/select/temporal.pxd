# Temporal layers alone, as VP8 has them: dropped from any picture on, taken in one by one where a picture is a layer's synchronization
# point (RFC 7741 section 4.2, Y), and all at a keyframe.
from simplestchat._native.core.types cimport u64
from simplestchat._native.select.state cimport Selector
from simplestchat._native.wire.facts cimport FrameFacts

cdef int temporal_packet(Selector* s, const FrameFacts* f, u64 index) noexcept nogil
