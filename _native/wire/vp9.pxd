# VP9 payload descriptors (RFC 9628 section 4.2), flexible and not, with layers and structure; numbers written anew in their place.
from simplestchat._native.core.types cimport u8, u16
from simplestchat._native.wire.facts cimport FrameFacts, PictureIds

cdef enum:
    VP9_MAX_LAYERS = 8           # spatial ones: three bits
    VP9_MAX_REFERENCES = 3
    VP9_MAX_GROUP = 255          # pictures of a group: eight bits

cdef struct Vp9View:
    u16 descriptor_size
    u8 keyframe          # begins a picture that needs no earlier one, in its lowest spatial layer
    u8 predicted         # P
    u8 layered           # L: tid, switch_up, sid and inter_layer are there
    u8 flexible          # F
    u8 begins_frame      # B
    u8 ends_frame        # E
    u8 unused_above      # Z: no reference for upper spatial layers
    u8 has_picture_id
    u8 wide_picture_id   # 15 bits
    u16 picture_id
    u8 tid
    u8 switch_up         # U: later pictures above this temporal layer refer to none above it that came before
    u8 sid
    u8 inter_layer       # D
    u8 has_tl0picidx     # not in flexible mode
    u8 tl0picidx
    u8 reference_count   # of a predicted picture in flexible mode
    u8 references[VP9_MAX_REFERENCES]    # how many picture ids back
    u16 structure_off    # of the scalability structure, 0: none
    u16 width            # of this spatial layer, where the structure tells it
    u16 height

cdef struct Vp9GroupPicture:
    u8 tid
    u8 switch_up
    u8 reference_count
    u8 references[VP9_MAX_REFERENCES]

cdef struct Vp9Structure:
    u8 layer_count
    u8 has_sizes
    u8 has_group
    u8 group_count
    u16 width[VP9_MAX_LAYERS]
    u16 height[VP9_MAX_LAYERS]
    Vp9GroupPicture group[VP9_MAX_GROUP]

cdef int vp9_parse(const u8* payload, size_t size, Vp9View* out) noexcept nogil
# The scalability structure of an accepted payload. OK, or E_STATE when it has none.
cdef int vp9_read_structure(const u8* payload, size_t size, const Vp9View* view, Vp9Structure* out) noexcept nogil
cdef void vp9_facts(const Vp9View* view, bint marker, FrameFacts* out) noexcept nogil
# 1 when the packet begins a picture that needs no earlier one, in its lowest spatial layer, 0 when not, < 0 when malformed.
cdef int vp9_keyframe(const u8* payload, size_t size) noexcept nogil

cdef void vp9_ids(const Vp9View* view, PictureIds* out) noexcept nogil
# Writes picture id and TL0PICIDX where the descriptor has them, each in the width that it has. References are differences and a
# group is counted from its first picture, so ids may be shifted, but not closed up where a picture is left out.
# OK, or E_SHORT when (payload, size) is less than the descriptor.
cdef int vp9_rewrite(u8* payload, size_t size, const Vp9View* view, const PictureIds* ids) noexcept nogil
