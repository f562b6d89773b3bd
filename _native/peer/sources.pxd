# Which SSRCs arrive on a path and what receiver each feeds. One whose receiver was removed is remembered, with its replay window: what still
# comes on it is told apart from what nobody knows.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.peer.entities cimport Path, PeerSource, Reception

# OK; E_STATE when another receiver has this SSRC; E_LIMIT or E_NOMEM.
cdef int source_add(Path* p, u32 ssrc, bint repair, u8 codec, Reception* reception) noexcept nogil
cdef PeerSource* source_find(const Path* p, u32 ssrc) noexcept nogil
cdef void source_retire(Path* p, u32 ssrc, const Reception* reception, us_t now) noexcept nogil
# A packet of a synthetic user came on an SSRC that no receiver was ever added for.
cdef void source_strange(Path* p, u32 ssrc, us_t now) noexcept nogil
# Counts as misdelivered what nobody asked for within STRANGER_US.
cdef void sources_judge(Path* p, us_t now) noexcept nogil
cdef void sources_free(Path* p) noexcept nogil
