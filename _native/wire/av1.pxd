# AV1 payloads (RTP Payload Format for AV1, version 1.0, section 4.4), as far as telling a keyframe's start.
from simplestchat._native.core.types cimport u8

# 1 when the packet begins a coded video sequence, as its aggregation header says, 0 when not, < 0 when malformed.
cdef int av1_keyframe(const u8* payload, size_t size) noexcept nogil
