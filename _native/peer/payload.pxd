# Payload descriptors of the codecs that synthetic users speak: written for each packet of a frame, and found again in what arrives
# (VP8 RFC 7741, VP9 RFC 9628, H264 RFC 6184 single NAL unit and FU-A, AV1 RTP specification 1.0 with OBU headers; opus RFC 7587 is a TOC byte).
#
# Behind the descriptor of a frame's first packet stand as many bytes of codec header as an SFU looks at to know a keyframe (and its
# picture size); then comes the stamp.
from simplestchat._native.core.types cimport u16, u32, u8
from simplestchat._native.peer.stamp cimport Stamp

cdef enum PayloadCodec:
    PAYLOAD_OPUS = 1
    PAYLOAD_VP8 = 2
    PAYLOAD_H264 = 3
    PAYLOAD_VP9 = 4
    PAYLOAD_AV1 = 5

cdef enum:
    PAYLOAD_MAX_PREFIX = 64        # descriptor and codec header of any codec

cdef struct PayloadFrame:
    u8 codec
    u8 keyframe
    u8 first                       # first packet of the frame
    u8 last
    u8 temporal_layer
    u8 spatial_layer
    u16 width                      # of the picture
    u16 height
    u32 picture_id                 # 15 bits used
    # Of a stream with layers in it, else 0 (AV1 has them in its dependency descriptor).
    u8 layered
    u8 spatial_count               # layers that the stream has; VP9 tells with a keyframe
    u8 temporal_count
    u8 base_pictures               # TL0PICIDX
    u8 sync                        # VP8: refers to temporal layer 0 alone
    u8 inter_layer                 # VP9: refers to the spatial layer below
    u8 unused_above                # VP9: no spatial layer above refers to it

# Bytes written before the stamp (at most PAYLOAD_MAX_PREFIX), or E_SPACE / E_UNSUPPORTED.
cdef int payload_write(u8* out, size_t cap, const PayloadFrame* frame) noexcept nogil
# Where the stamp begins, or E_SHORT / E_MALFORMED / E_UNSUPPORTED. Fills codec, keyframe, first, last and picture id where the codec tells.
cdef int payload_read(u8 codec, const u8* data, size_t size, PayloadFrame* out) noexcept nogil
# Do descriptor and stamp speak of the same packet?
cdef bint payload_agrees(u8 codec, const PayloadFrame* frame, const Stamp* stamp) noexcept nogil
