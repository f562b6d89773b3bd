# H264 payloads (RFC 6184): single NAL units, STAP-A and FU-A, as far as telling a keyframe's start.
from simplestchat._native.core.types cimport u8

# 1 when the packet begins an IDR picture or carries its SPS, 0 when not, < 0 when malformed.
cdef int h264_keyframe(const u8* payload, size_t size) noexcept nogil
