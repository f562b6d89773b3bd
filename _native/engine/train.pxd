# Packets that leave together for one receiver are one message to the kernel while they have one size, but for a shorter last one. An encoder
# cuts a frame into parts that differ by a few bytes; RTP padding (RFC 3550 section 5.1) makes them equal.
#
# Rules: a packet grows by at most a thirty-second of the longest of its run, and by 255 bytes; the last of a run does not grow, for it
# may be shorter. Only packets of one encoding that carry the same header extensions are levelled.
from simplestchat._native.core.types cimport u32
from simplestchat._native.engine.entities cimport Ready

# Says how many bytes each of `count` packets grows; `padding` is 0 before.
cdef void train_level(Ready* ready, u32 count) noexcept nogil
