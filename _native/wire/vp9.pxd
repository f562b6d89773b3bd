# VP9 payload descriptors (RFC 9628 section 4.2), as far as telling a keyframe's start.
from simplestchat._native.core.types cimport u8

# 1 when the packet begins a picture that needs no earlier one, in its lowest spatial layer, 0 when not, < 0 when malformed.
cdef int vp9_keyframe(const u8* payload, size_t size) noexcept nogil
