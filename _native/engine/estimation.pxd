# What a receiver's path carries: feedback goes to the estimator (cc/bwe), probes leave when it wants them, and others hear what it found.
from simplestchat._native.core.types cimport u8, u32, u64, us_t
from simplestchat._native.engine.entities cimport Consumer, ShardState, Transport
from simplestchat._native.wire.rtcp cimport RtcpView

# The transport gets an estimator, if it has none. False without memory.
cdef bint estimation_begin(ShardState* s, Transport* t, us_t now) noexcept nogil
cdef void estimation_free(Transport* t) noexcept nogil
# A transport-wide feedback in s.scratch.
cdef void estimation_feedback(ShardState* s, Transport* t, const u8* data, const RtcpView* view, us_t now) noexcept nogil
cdef void estimation_remb(ShardState* s, Transport* t, u64 bitrate_bps, us_t now) noexcept nogil
# A report about a consumer's stream.
cdef void estimation_report(ShardState* s, Transport* t, const Consumer* c, u8 fraction_lost, us_t now) noexcept nogil
# What is due: the estimator's own timers, and probes. The next deadline.
cdef us_t estimation_tick(ShardState* s, Transport* t, us_t now) noexcept nogil
