# One packet on its way to one subscriber: the bytes that it leaves with, now, later, and again.
#
# What a packet leaves with is a function of what the publisher sent (the cache) and of a SentPacket (the consumer's ring). So a packet
# that waited for its turn, or that is asked for again, is written from these two.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.engine.entities cimport Consumer, Ready, ShardState
from simplestchat._native.stream.sent cimport SentPacket

# Notes it in the output queue, which must have room, and remembers it.
cdef void outgoing_note(ShardState* s, Consumer* c, const Ready* ready, SentPacket* sent, us_t now) noexcept nogil
# The same for one that waited: it is sealed at once. Whether it left; else it never will.
cdef bint outgoing_late(ShardState* s, Consumer* c, SentPacket* sent, us_t now) noexcept nogil
# Once more: over RTX (RFC 4588) where negotiated, else byte for byte. Bytes sent, 0 when that cannot be done. `cluster` is a probe's, or 0.
cdef u32 outgoing_again(ShardState* s, Consumer* c, const SentPacket* sent, us_t now, u32 cluster) noexcept nogil
# Padding alone (RFC 3550 section 5.1) over RTX, `size` bytes in all at most; bytes sent.
cdef u32 outgoing_padding(ShardState* s, Consumer* c, u32 size, us_t now, u32 cluster) noexcept nogil
