# What each video of a receiver gets: the estimate of its transport, divided (cc/allocator), and what publishers are told of it.
#
# Rules:
#  - A receiver's estimate is divided ALLOCATE_US after the last time, and at once when it fell, or when what is wanted changed.
#  - What does not tell how its packets arrive has no limit but what it asks for.
#  - A spatial layer of a producer is wanted while some consumer would take it, or a higher one, if it were sent: lower ones are the
#    reserve of the higher. That one is wanted is told at once, that nobody wants it any more after UNWANTED_US.
from simplestchat._native.core.types cimport i8, u8, u32, us_t
from simplestchat._native.engine.entities cimport Consumer, Producer, ShardState, Transport

cdef enum:
    ALLOCATE_US = 200000
    UNWANTED_US = 3000000

# Something that decides changed: it is divided anew in the next turn.
cdef void allocation_want(ShardState* s, Transport* t, us_t now) noexcept nogil
# Divides when it is due. The next deadline.
cdef us_t allocation_tick(ShardState* s, Transport* t, us_t now) noexcept nogil
# What the consumer gets may have changed: the node is told.
cdef void allocation_tell(ShardState* s, Consumer* c) noexcept nogil
# A run of this consumer begins: what it may get of the encoding.
cdef void allocation_aim(Consumer* c) noexcept nogil
# The consumer is closed.
cdef void allocation_forget(ShardState* s, Consumer* c) noexcept nogil
# Spatial layers of a producer that are wanted: a bit each.
cdef u8 allocation_mask(const Producer* p) noexcept nogil
# Tells the node of them when it is due. The next deadline.
cdef us_t allocation_tell_mask(ShardState* s, Producer* p, us_t now) noexcept nogil
