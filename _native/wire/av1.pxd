# AV1 payloads (RTP Payload Format for AV1, version 1.0, section 4.4): the aggregation header, and whose layer the packet's OBUs are.
from simplestchat._native.core.types cimport u8, u16
from simplestchat._native.wire.facts cimport FrameFacts

cdef struct Av1View:
    u8 continues         # Z: its first element goes on with an OBU of the packet before
    u8 continued         # Y: its last element goes on in the next packet
    u8 starts_sequence   # N: begins a coded video sequence
    u8 element_count     # as W says, or as many as were found
    u8 layered           # an OBU says its layer
    u8 temporal_id
    u8 spatial_id

# The header, and the lengths of all elements. OK, E_SHORT or E_MALFORMED.
cdef int av1_parse(const u8* payload, size_t size, Av1View* out) noexcept nogil
# Without a dependency descriptor a packet tells little: not where a frame begins, and not what refers to it.
cdef void av1_facts(const Av1View* view, bint marker, FrameFacts* out) noexcept nogil
# 1 when the packet begins a coded video sequence, as its aggregation header says, 0 when not, < 0 when malformed.
cdef int av1_keyframe(const u8* payload, size_t size) noexcept nogil
