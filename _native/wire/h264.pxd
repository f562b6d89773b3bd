# H264 payloads (RFC 6184): single NAL units, STAP-A and FU-A, as far as telling a keyframe's start and what nobody refers to.
from simplestchat._native.core.types cimport u8
from simplestchat._native.wire.facts cimport FrameFacts

# 1 when the packet begins an IDR picture or carries its SPS, 0 when not, < 0 when malformed.
cdef int h264_keyframe(const u8* payload, size_t size) noexcept nogil
# OK, or what h264_keyframe says of a malformed payload. Of layers a payload says nothing.
cdef int h264_facts(const u8* payload, size_t size, bint marker, FrameFacts* out) noexcept nogil
