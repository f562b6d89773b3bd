# Packets of video that wait until the pacer lets them leave, so that a keyframe does not fill the queue of a thin link. Audio and what is
# sent again never wait.
#
# Rules:
#  - A packet waits behind those that wait already, whatever the pacer says: the order stays.
#  - A waiting packet is a number in its consumer's ring; it is written and sealed when it leaves.
#  - When all places are taken, or half of its consumer's ring waits, the first ones leave at once: none is lost.
#  - The pace is the estimate's. Until the path was found full for the first time it is that of what is sent although nobody knows that it
#    fits: held back it would only wait here, and the estimate would never learn whether it comes through.
from simplestchat._native.cc.pacer cimport pacer_may_send
from simplestchat._native.core.types cimport u32, us_t
from simplestchat._native.engine.entities cimport Consumer, ShardState, Transport
from simplestchat._native.stream.sent cimport SentPacket

# Must a packet that comes now wait?
cdef inline bint pacing_waits(Transport* t, us_t now) noexcept nogil:
    return t.waiting.count > 0 or not pacer_may_send(&t.pacer, now)
# The estimate changed, or what is sent.
cdef void pacing_adjust(Transport* t, us_t now) noexcept nogil
cdef void pacing_put(ShardState* s, Consumer* c, const SentPacket* sent, u32 payload_size, us_t now) noexcept nogil
# Those whose turn it is leave. When to come back, NEVER_US when none waits.
cdef us_t pacing_tick(ShardState* s, Transport* t, us_t now) noexcept nogil
cdef void pacing_free(Transport* t) noexcept nogil
