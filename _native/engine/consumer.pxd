# One subscriber's copy of one producer: own SSRC, payload types, extension ids, and a sequence and timeline without gaps or jumps.
from simplestchat._native.core.types cimport u16, u32, u8, us_t
from simplestchat._native.engine.entities cimport TRANSPORT_CONNECTED, Consumer, Producer, Ready, ShardState, Transport
from simplestchat._native.wire.rtcp cimport NackItem

cdef enum:
    NOT_CONSUMED = 255             # in Consumer.pt_by_codec
    RESENDS_PER_DATAGRAM = 64
    LATE_START = 64                # how far behind the newest packet video may begin

# A consumer linked to both sides, or NULL without memory or past a cap. Codec and extension maps are filled in by the caller before the next turn.
cdef Consumer* consumer_new(ShardState* s, u32 id, Transport* t, Producer* p, u32 ssrc, u32 rtx_ssrc) noexcept nogil
cdef void consumer_free(ShardState* s, Consumer* c) noexcept nogil
# The next packet begins a new run (after a pause, or another source).
cdef void consumer_restart(Consumer* c) noexcept nogil
# The verdict on one packet for a consumer that takes packets now and, when it is to be forwarded, its copy noted in the output queue (which must
# have room).
cdef void consumer_forward(ShardState* s, Consumer* c, const Ready* ready, us_t now) noexcept nogil
# Its codecs are known: how are layers told apart?
cdef void consumer_choose(Consumer* c) noexcept nogil
# Does it take packets now?
cdef inline bint consumer_takes(const Consumer* c) noexcept nogil:
    return not (c.paused or c.hidden or c.held) and c.transport.state == TRANSPORT_CONNECTED
# Answers NACK items; at most `budget` packets, returns what is left of it.
cdef int consumer_resend(ShardState* s, Consumer* c, const NackItem* items, int count, us_t now, int budget) noexcept nogil
# The encoding that this consumer should get, of those that live as its producer's packets are forwarded.
cdef u8 consumer_target(const Consumer* c) noexcept nogil
