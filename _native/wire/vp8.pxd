# The VP8 payload descriptor (RFC 7741 section 4.2): all of it, a keyframe's size, and numbers written anew in their place.
from simplestchat._native.core.types cimport u8, u16
from simplestchat._native.wire.facts cimport FrameFacts, PictureIds

cdef struct Vp8View:
    u8 descriptor_size
    u8 start             # S bit with PID 0: the first packet of a frame
    u8 keyframe          # start of a frame whose P bit is 0
    u8 non_reference     # N bit
    u8 partition_start   # S bit
    u8 partition         # PID
    u8 has_picture_id
    u8 wide_picture_id   # 15 bits
    u16 picture_id
    u8 has_tl0picidx
    u8 tl0picidx
    u8 has_tid
    u8 tid
    u8 layer_sync        # Y bit: refers to temporal layer 0 alone
    u8 has_keyidx
    u8 keyidx
    u16 width            # of a keyframe, else 0
    u16 height

cdef int vp8_parse(const u8* payload, size_t size, Vp8View* out) noexcept nogil
cdef void vp8_facts(const Vp8View* view, bint marker, FrameFacts* out) noexcept nogil

cdef void vp8_ids(const Vp8View* view, PictureIds* out) noexcept nogil
# Writes those of the numbers that the descriptor has, each in the width that it has. The view is that of this payload.
# OK, or E_SHORT when (payload, size) is less than the descriptor.
cdef int vp8_rewrite(u8* payload, size_t size, const Vp8View* view, const PictureIds* ids) noexcept nogil
