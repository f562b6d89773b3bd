# What is kept for one receiver of a stream with layers: what it should get, what it gets, and what was decided of the last pictures.
from simplestchat._native.core.types cimport i8, u8, u16, u32

cdef enum:
    SELECT_PICTURES = 32         # pictures of VP8 and VP9 whose decision is kept: a second and a half at 20 a second
    SELECT_FRAMES = 64           # frames of a dependency descriptor, where each spatial layer has its own
    SELECT_LAYERS = 4            # spatial layers that are told apart; those above are never forwarded
    SELECT_NO_TARGET = 0xFF

# VP8, VP9: for each spatial layer, how many temporal layers of it were forwarded, three bits each; and the picture's own temporal layer.
# AV1: the decode target that was forwarded, and what became of the frame.
cdef union SelectRing:
    u16 pictures[SELECT_PICTURES]
    u8 frames[SELECT_FRAMES]

cdef struct Selector:
    u8 kind
    i8 target_spatial    # the most that it should get; -1: nothing
    i8 target_temporal
    i8 spatial           # what is forwarded now, -1: nothing
    i8 temporal
    u8 begun             # `newest` holds
    u8 told              # of the newest picture these spatial layers were decided, a bit each
    u8 ended             # a packet of the newest picture was said to be its last
    u8 source_spatial    # the highest spatial layer of the picture before the newest
    u8 newest_spatial    # and of the newest
    u8 waited            # pictures since what is forwarded is less than the target, at most 255
    u8 broken            # something that the target needs was left out: only a switching point helps
    u16 newest           # picture or frame
    u16 layers           # as in the ring: what goes for the next picture
    u16 structure        # of the dependency descriptors, told by the frame that brought it
    u8 target            # decode target that is forwarded
    u8 goal              # decode target that should be
    u32 allowed          # decode targets up to the goal
    u32 mask             # decode targets that are whole in what is forwarded: to be written as the active ones
    u32 active           # those that the source sends
    SelectRing ring
