# What choosing layers needs to know of a packet, the same for every codec: no more than its descriptor says, 0 where it is silent.
#
# A frame is one picture in one spatial layer; a picture is all frames of one moment (a superframe, a temporal unit).
from simplestchat._native.core.types cimport u8, u16, u32, u64

cdef enum:
    FACTS_MAX_TARGETS = 32       # decode targets of a dependency descriptor

cdef struct FrameFacts:
    u8 keyframe          # begins a picture that needs no earlier one, in its lowest spatial layer
    u8 begins_frame      # first packet of a frame
    u8 ends_frame        # last packet of it
    u8 ends_picture      # last packet of the picture (the RTP marker): whoever drops it says so on another one
    u8 spatial_id
    u8 temporal_id
    u8 discardable       # no other frame refers to this one
    u8 switch_in         # whoever gets the layers below can get this frame's layer from here on
    u8 switch_up         # temporal layers above this frame's can be forwarded from the next picture on
    u8 predicted         # refers to earlier pictures (VP8 tells with a frame's first packet, AV1 in the lowest layer)
    u8 inter_layer       # VP9: refers to the spatial layer below, in its own picture
    u8 unused_above      # the spatial layers above do not refer to it (VP9: in its own picture)
    u8 picture_bits      # width of the number: 7, 15 or 16; 0 when there is none
    u16 picture_id       # counts pictures; counts frames in a dependency descriptor
    u16 width            # of the frame's layer, where this packet or its stream's structure says it
    u16 height
    # Of a dependency descriptor, else 0; bit i is decode target i.
    u32 present          # the frame belongs to these
    u32 switches         # these can be switched to here
    u32 active           # these are being sent at all
    u32 structure        # which structure says what they mean: its generation
    u8 known             # what is said above; else a structure is missing, or the packet has no dependency descriptor at all
    # What it refers to beside its own picture (of a dependency descriptor: any frame); bit i is number - 1 - i, of the same layer.
    u8 refers_told       # else nobody knows (VP8, VP9 that is not flexible), or some are further back than there are bits
    u64 refers

# K-SVC (and simulcast in one stream): an upper layer that between keyframes goes on by itself, so that the layers below are not
# needed to decode it.
cdef inline bint facts_stands_alone(const FrameFacts* f) noexcept nogil:
    return f.spatial_id > 0 and f.predicted and not f.inter_layer


# The numbers in a VP8 or VP9 descriptor that must go on without a gap where a stream is put together from several.
cdef struct PictureIds:
    u8 picture_bits      # 7 or 15, 0: no picture id
    u8 has_tl0picidx
    u8 has_keyidx
    u8 tl0picidx         # counts pictures of temporal layer 0
    u8 keyidx            # counts keyframes, 5 bits
    u16 picture_id

cdef enum:
    IDS_REACH = 6                # no number in a descriptor of VP8 or VP9 lies behind so many octets
    IDS_VP8_AT = 2               # where they begin, behind the flags
    IDS_VP9_AT = 1

# Writes the numbers into a descriptor that has them, each in its width: from `at` on, with `between` octets before TL0PICIDX.
cdef inline void ids_put(u8* payload, const PictureIds* ids, u8 at, u8 between) noexcept nogil:
    if ids.picture_bits == 15:
        payload[at] = <u8> (0x80 | ((ids.picture_id >> 8) & 0x7F))
        payload[at + 1] = <u8> (ids.picture_id & 0xFF)
        at += 2
    elif ids.picture_bits == 7:
        payload[at] = <u8> (ids.picture_id & 0x7F)
        at += 1
    at += between
    if ids.has_tl0picidx:
        payload[at] = ids.tl0picidx
        at += 1
    if ids.has_keyidx:
        payload[at] = <u8> ((payload[at] & 0xE0) | (ids.keyidx & 0x1F))
