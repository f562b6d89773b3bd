# What is kept for one receiver of a stream with layers: what it should get, what it gets, and what was decided of the last pictures.
from simplestchat._native.core.types cimport i8, i32, u8, u16, u32, u64
from simplestchat._native.wire.facts cimport FrameFacts

cdef enum:
    SELECT_PICTURES = 32         # pictures of VP8 and VP9 whose decision is kept: over a second at 30 a second
    SELECT_FRAMES = 64           # frames of a dependency descriptor, where each spatial layer has its own
    SELECT_LAYERS = 4            # spatial layers that are told apart; those above are never forwarded
    SELECT_MOST_TEMPORAL = 6     # likewise
    SELECT_NO_TARGET = 0x20      # no decode target: as one that no frame belongs to
    # What an entry of the ring says of a picture or frame that was left out (see vp9svc.pyx and av1dd.pyx).
    SELECT_LEFT_OUT_PICTURE = 0x8000
    SELECT_LEFT_OUT_FRAME = 0x60
    SELECT_PATIENCE = 90         # pictures without a switching point until a keyframe is asked for

# VP8, VP9: of each spatial layer, how many temporal layers were forwarded, three bits each, and what picture it was (vp9svc.pyx).
# AV1: the decode target that was forwarded, and what became of the frame (av1dd.pyx).
cdef union SelectRing:
    u16 pictures[SELECT_PICTURES]
    u8 frames[SELECT_FRAMES]

cdef struct Selector:
    u8 kind
    i8 target_spatial    # the most that it should get; -1: nothing
    i8 target_temporal
    i8 spatial           # what is forwarded now, -1: nothing
    i8 temporal
    u8 begun             # there was a picture
    u8 waited            # pictures for which that was less than the target, at most 255
    u8 broken            # something that is needed was left out: only a switching point helps
    # Of the newest picture. What is aimed at while it lasts goes for the next one.
    i8 cap               # the highest spatial layer for it
    u8 want              # how many temporal layers
    u8 told              # spatial layers that were decided, a bit each
    u8 fed               # something of it was forwarded
    u8 key               # its lowest layer refers to no other picture
    u8 alone             # spatial layers that do not refer to the one below, a bit each
    u8 rising            # what it refers to shows that more temporal layers can be had
    u8 ended             # a packet was said to be its last
    u8 spatial_seen      # its highest spatial layer
    u8 spatial_before    # that of the picture before
    u64 index            # of the packet that began it, where pictures have no number
    u16 newest           # its number, or that of its newest frame
    u16 layers           # as in the ring: what goes for the next picture
    # Of a dependency descriptor.
    u8 target            # decode target that is forwarded
    u8 goal              # decode target that should be
    i8 goal_spatial      # its layer
    u8 aimed             # the goal is to be found anew
    u8 over              # the newest picture had its last packet
    u8 plain             # there are no descriptors: everything is forwarded
    u32 structure        # the structure's generation
    u32 shape            # a digest of the structure's decode targets
    u32 allowed          # decode targets up to the goal
    u32 mask             # decode targets that are whole in what is forwarded: what the receiver is told is active
    u32 active           # those that the source sends
    SelectRing ring


# How far the packet's picture is ahead of the newest one. Without numbers every beginning is a picture, and what lies before the newest
# one is of the picture before it.
cdef inline i32 select_ahead(const Selector* s, const FrameFacts* f, u64 index) noexcept nogil:
    cdef u32 shift
    if not s.begun:
        return 1
    if f.picture_bits == 0:
        return -1 if index < s.index else f.begins_frame and f.spatial_id == 0 and index > s.index
    shift = 32 - f.picture_bits
    return <i32> ((<u32> f.picture_id - <u32> s.newest) << shift) >> shift


# Where the decisions of a picture that is so far ahead are.
cdef inline u16* select_entry(Selector* s, i32 ahead) noexcept nogil:
    return &s.ring.pictures[<u16> (s.newest + ahead) & (SELECT_PICTURES - 1)]


# The picture is the newest one now; for those in between goes what went before.
cdef inline void select_advance(Selector* s, const FrameFacts* f, u64 index, i32 ahead) noexcept nogil:
    cdef i32 i, skipped = ahead if ahead < SELECT_PICTURES else <i32> SELECT_PICTURES
    s.newest = f.picture_id if f.picture_bits else <u16> (s.newest + 1)
    s.index = index
    for i in range(1, skipped):
        select_entry(s, -i)[0] = s.layers
    s.begun = 1


cdef inline void select_wait(Selector* s, bint less) noexcept nogil:
    if not less:
        s.waited = 0
    elif s.waited < 0xFF:
        s.waited += 1
