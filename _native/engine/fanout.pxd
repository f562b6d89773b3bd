# The fan-out: packets that producers took in since the last time, on their way to all their consumers.
#
# Rules: consumer after consumer, so that packets for one receiver lie together; each packet is looked up once for all of them. Where the
# output queue is full, the next call goes on at the same packet of the same consumer. Whatever was noted is sealed when a call ends.
from simplestchat._native.core.types cimport us_t
from simplestchat._native.engine.entities cimport ShardState

# True when the output queue filled up before the end: send, clear, call again, and receive nothing before.
cdef bint fanout_flush(ShardState* s, us_t now) noexcept nogil
