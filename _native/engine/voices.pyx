"""Who speaks in a room; see voices.pxd."""
from simplestchat._native.core.types cimport u32, us_t
from simplestchat._native.engine.entities cimport Producer, ShardState
cdef int voices_join(ShardState* s, Producer* p, u32 group, us_t now) except -1:
    return 0
cdef int voices_limit(ShardState* s, u32 group, int limit, us_t now) except -1:
    return 0
cdef void voices_leave(ShardState* s, Producer* p) noexcept nogil:
    pass
cdef void voices_tick(ShardState* s, us_t now) noexcept nogil:
    pass
cdef void voices_free(ShardState* s) noexcept nogil:
    pass
