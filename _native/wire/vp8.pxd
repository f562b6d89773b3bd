# The VP8 payload descriptor (RFC 7741 section 4.2), as far as keyframes, picture ids and temporal layers.
from simplestchat._native.core.types cimport u8, u16

cdef struct Vp8View:
    u8 descriptor_size
    u8 start             # S bit with PID 0: the first packet of a frame
    u8 keyframe          # start of a frame whose P bit is 0
    u8 has_picture_id
    u8 wide_picture_id   # 15 bits
    u16 picture_id
    u8 has_tl0picidx
    u8 tl0picidx
    u8 has_tid
    u8 tid
    u8 layer_sync
    u8 has_keyidx
    u8 keyidx
    u16 width            # of a keyframe, else 0
    u16 height

cdef int vp8_parse(const u8* payload, size_t size, Vp8View* out) noexcept nogil
