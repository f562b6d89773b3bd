# Pictures of a subscribed video whose stream has layers in it: which are whole and can be decoded, although a server left layers out.
#
# Rules:
#  - A picture is over with the packet that has the RTP marker. It is whole when every frame (spatial layer) of it that began has all parts.
#  - A frame can be decoded when the same layer of the picture that it refers to could, and the layer below where it refers to that.
#  - A whole picture with a frame that can be decoded is shown, in its best layer, once those before it are shown; of which nothing came was
#    left out. One that is not whole is waited for PICTURES_WAIT_US at most while a later one could be shown, then it is broken.
from simplestchat._native.core.histogram cimport Histogram
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.peer.frames cimport Frames
from simplestchat._native.peer.scalability cimport SCALABILITY_MAX
from simplestchat._native.peer.stamp cimport Stamp

cdef enum:
    PICTURES_PLACES = 64         # that can be incomplete or wait at a time
    PICTURES_WAIT_US = 200000

cdef struct Picture:
    us_t due_us
    u32 frame                    # its number
    u16 have[SCALABILITY_MAX]    # parts of each spatial layer
    u16 parts[SCALABILITY_MAX]   # 0: nothing of it came
    u8 encoding
    u8 keyframe
    u8 temporal
    u8 back
    u8 inter_layer               # layers that refer to the one below, a bit each
    u8 over                      # the marker came
    u8 decoded                   # layers that could be
    u8 state                     # 0 nothing, 1 collecting, 2 shown

cdef struct Pictures:
    Picture places[PICTURES_PLACES]      # by number
    u32 newest

cdef Pictures* pictures_new() noexcept nogil           # NULL without memory; free() it
# One part, never the same twice. What is shown goes into `f`, whose places are not used.
cdef void pictures_part(Pictures* p, Frames* f, const Stamp* stamp, bint marker, us_t arrival, Histogram* latency) noexcept nogil
# What was due before and is not shown by now is broken.
cdef void pictures_expire(Pictures* p, Frames* f, us_t due_us) noexcept nogil
