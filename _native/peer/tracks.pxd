# The tracks of a path: made and removed, started when the path is connected, and counted into the swarm's sums.
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.peer.entities cimport Path, Publication, Reception, SwarmState
from simplestchat._native.peer.settings cimport ReceiverSettings, SenderSettings

# OK; E_STATE for a used id or SSRC, E_LIMIT at a cap, E_MALFORMED for settings that cannot be, E_NOMEM.
cdef int publication_add(SwarmState* s, Path* p, const SenderSettings* settings, us_t now) noexcept nogil
cdef void publication_remove(SwarmState* s, Publication* t) noexcept nogil
cdef int reception_add(SwarmState* s, Path* p, const ReceiverSettings* settings, us_t now) noexcept nogil
# After reception_close.
cdef void reception_remove(SwarmState* s, Reception* r, us_t now) noexcept nogil
# It ends, unless it has, and its totals are final.
cdef void reception_close(SwarmState* s, Reception* r, bint has_expected, u32 expected, us_t now) noexcept nogil
cdef void reception_end(SwarmState* s, Reception* r, bint has_expected, u32 expected, us_t now) noexcept nogil
cdef void reception_resume(SwarmState* s, Reception* r, us_t now) noexcept nogil
# The path is connected: the schedules of its senders begin.
cdef void tracks_start(Path* p, us_t now) noexcept nogil
# Nothing is expected from now on: the user crashed.
cdef void tracks_end(SwarmState* s, Path* p, us_t now) noexcept nogil
cdef void tracks_free(SwarmState* s, Path* p) noexcept nogil
# Brings the swarm's sums up to date with this path.
cdef void tracks_count(SwarmState* s, Path* p) noexcept nogil
