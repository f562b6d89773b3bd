# Who speaks in a room, and who is heard: the audio producers of a group, on this worker.
from simplestchat._native.core.types cimport u32, us_t
from simplestchat._native.engine.entities cimport Producer, ShardState

# Is this producer forwarded now? Video always is.
cdef inline bint voices_hears(const Producer* p) noexcept nogil:
    return p.group == NULL or p.speaker.heard
# Raises MisuseError at the cap of groups.
cdef int voices_join(ShardState* s, Producer* p, u32 group, us_t now) except -1
cdef int voices_limit(ShardState* s, u32 group, int limit, us_t now) except -1
# The last producer of a group takes the group with it.
cdef void voices_leave(ShardState* s, Producer* p) noexcept nogil
# Looks for speakers when it is due.
cdef void voices_tick(ShardState* s, us_t now) noexcept nogil
cdef void voices_free(ShardState* s) noexcept nogil
