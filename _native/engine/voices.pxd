# Who speaks in a room, and who is heard: the audio producers of a group, on this worker.
#
# Rules:
#  - A group is there from the first that is said of it until it has no producer and no limit.
#  - Who is not among the loudest is forwarded to nobody, but over pipes: the other worker listens by itself.
#  - Who is heard again begins a run: nothing is missing in what a subscriber gets.
from simplestchat._native.core.types cimport u32, us_t
from simplestchat._native.engine.entities cimport Producer, ShardState

cdef enum:
    VOICES_US = 200000             # between looking for speakers

# Raises MisuseError at the cap of groups.
cdef int voices_join(ShardState* s, Producer* p, u32 group, us_t now) except -1
cdef int voices_limit(ShardState* s, u32 group, int limit, us_t now) except -1
cdef void voices_leave(ShardState* s, Producer* p) noexcept nogil
# Before a producer's packets are forwarded: is it heard now?
cdef void voices_listen(Producer* p) noexcept nogil
# Looks for speakers when it is due.
cdef void voices_tick(ShardState* s, us_t now) noexcept nogil
cdef void voices_free(ShardState* s) noexcept nogil
