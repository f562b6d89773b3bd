# The dependency descriptor, an RTP header extension (RTP Payload Format for AV1, version 1.0, appendix A): read, and written anew.
#
# A stream's first packet carries a structure: templates, each for one kind of frame. Later packets name a template by its number
# and say what is different. So a structure is kept for each stream; it has a fixed size whatever comes.
from simplestchat._native.core.types cimport u8, u16, u32
from simplestchat._native.wire.facts cimport FACTS_MAX_TARGETS, FrameFacts

cdef enum:
    DD_MAX_TEMPLATES = 64
    DD_MAX_TARGETS = FACTS_MAX_TARGETS
    DD_MAX_CHAINS = 32           # no more than decode targets
    DD_MAX_FDIFFS = 8            # an AV1 frame refers to seven others at most
    DD_MAX_SPATIAL = 4
    DD_MAX_TEMPORAL = 8
    DD_MAX_SIZE = 255            # of an element of a header extension, bytes

# What a template, or a frame, says of each decode target: bit i is target i. What is present and neither is required.
cdef struct DdTargets:
    u32 present
    u32 discardable
    u32 switches

cdef struct DdTemplate:
    u8 spatial_id
    u8 temporal_id
    u8 fdiff_count
    u8 fdiffs[DD_MAX_FDIFFS]             # how many frames back are those that it refers to
    u8 chain_fdiffs[DD_MAX_CHAINS]       # how many frames back is the one before it in each chain, 0: none is needed
    DdTargets targets

cdef struct DdStructure:
    u8 template_count    # 0: none came yet
    u8 template_offset   # number of the first template
    u8 target_count
    u8 chain_count
    u8 layer_count       # spatial ones
    u8 has_sizes
    u16 width[DD_MAX_SPATIAL]
    u16 height[DD_MAX_SPATIAL]
    u16 frame_number     # of the frame that brought it last
    u32 generation       # goes on by one with each structure that says something else; 0: none came yet
    u16 active_frame     # of the frame that last said which targets are active
    u32 active           # decode targets that are being sent
    u8 protected_by[DD_MAX_TARGETS]      # its chain
    u8 target_spatial_id[DD_MAX_TARGETS]     # the highest layers that belong to it
    u8 target_temporal_id[DD_MAX_TARGETS]
    DdTemplate templates[DD_MAX_TEMPLATES]

cdef struct DdView:
    u8 begins_frame
    u8 ends_frame
    u8 template_id
    u16 frame_number
    u32 structure        # generation of the structure that this was read with; 0: one that was late, and not taken
    u8 known             # the structure has this template; else nothing below is filled in
    u8 has_structure
    u8 has_active        # the descriptor itself says which targets are active
    u8 spatial_id
    u8 temporal_id
    u8 fdiff_count
    u8 chain_count
    u8 own_switch        # of the decode targets that reach up to this frame's layer, one can be switched to
    u8 target_count
    u8 unused_above      # no decode target with higher spatial layers has this frame
    u16 fdiffs[DD_MAX_FDIFFS]
    u8 chain_fdiffs[DD_MAX_CHAINS]
    u16 width            # at most, of this spatial layer; 0: not said
    u16 height
    u16 active_pos       # the bit where the mask of active targets is, or would be
    u16 bits             # the descriptor's fields take so many
    u32 active
    DdTargets targets

cdef void dd_init(DdStructure* structure) noexcept nogil
# Reads a descriptor of the stream whose structure this is, and takes a structure or mask that it brings over when all of it was well
# formed and it is not late. OK also when the template is unknown: the stream goes on with a structure that was lost, and a keyframe
# brings another. E_SHORT, E_MALFORMED, or E_UNSUPPORTED for more references than any codec has; then the structure is as it was.
cdef int dd_parse(const u8* data, size_t size, DdStructure* structure, DdView* out) noexcept nogil
cdef void dd_facts(const DdView* view, bint marker, FrameFacts* out) noexcept nogil

# Shifts the number of the frame in its place: all that refers to other frames are differences. OK or E_SHORT.
cdef int dd_put_frame_number(u8* data, size_t size, u16 frame_number) noexcept nogil
# Most that dd_write_active adds to a descriptor, in bytes: the flags, and a mask.
cdef enum:
    DD_ACTIVE_GROWTH = 5
# Writes the descriptor with another mask of active targets, which is put in where there was none. The view is that of these bytes and
# its template is known. Bytes written, E_STATE for an unknown template, E_SPACE when it does not fit. `out` may not be `data`.
cdef int dd_write_active(const u8* data, size_t size, const DdView* view, u32 active, u8* out, size_t cap) noexcept nogil
