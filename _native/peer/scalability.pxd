# Layers inside one stream of a synthetic encoder, named as in W3C webrtc-svc: what layers a picture has, what each refers to, and how the
# dependency descriptor says it (RTP Payload Format for AV1, appendix A).
#
# The pattern of temporal layers is 0 (L.T1), 0 1 (T2) or 0 2 1 2 (T3), from each keyframe on; every picture refers to one before it. A spatial
# layer refers to the one below of its picture, always (full SVC) or in keyframes alone (_KEY). Sides halve from layer to layer.
from simplestchat._native.core.types cimport u16, u32, u8

cdef enum:
    SCALABILITY_MAX = 3          # layers of either kind
    SCALABILITY_MAX_DESCRIPTOR = 128     # bytes
    SCALABILITY_PERIOD = 4       # pictures of the longest pattern

cdef struct Scalability:         # zeros: one layer
    u8 spatial                   # number of layers
    u8 temporal
    u8 key                       # spatial layers refer to each other in keyframes alone

cdef struct PictureLayers:
    u8 temporal
    u8 back                      # refers to the picture so many before, 0: keyframe
    u8 since_base                # pictures since the last of temporal layer 0, before this one
    u8 sync                      # refers to temporal layer 0, and is above it

cdef inline bint scalability_layered(const Scalability* m) noexcept nogil:
    return m.spatial > 1 or m.temporal > 1
# The picture that comes so many after a keyframe, 0: the keyframe itself.
cdef void scalability_picture(const Scalability* m, u32 since_keyframe, PictureLayers* out) noexcept nogil
# Does a spatial layer refer to the one below?
cdef inline bint scalability_inter_layer(const Scalability* m, u8 spatial, bint keyframe) noexcept nogil:
    return spatial > 0 and (keyframe or not m.key)
# Of a stream's bitrate, that of one spatial layer; and what a picture of a temporal layer takes of its mean.
cdef double scalability_share(const Scalability* m, u8 spatial) noexcept nogil
cdef double scalability_weight(const Scalability* m, u8 temporal) noexcept nogil
# One frame's descriptor: bytes, or E_SPACE. `picture` counts pictures, `key_picture` was the last that brought a structure, `active` spatial layers are sent; with `structure` the sides of the
# picture are told, too.
cdef int scalability_descriptor(u8* out, u32 cap, const Scalability* m, const PictureLayers* layers, u32 picture, u32 key_picture, u8 spatial,
                                bint first, bint last, u8 active, bint structure, u16 width, u16 height) noexcept nogil
