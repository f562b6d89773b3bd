# The ICE side of a synthetic user: controlling, one pair, each check nominates (RFC 8445 sections 6.1.1, 7.2; RFC 7675).
#
# Rules:
#  - A path that seeks (at first, after a rebind or an ICE restart, or disconnected) checks at growing gaps until an answer comes; afterwards
#    about each 5 s.
#  - An answer counts once, with the id of one of the latest checks and a right MESSAGE-INTEGRITY under the present password.
#  - Requests of the server are answered when they are made with our credentials; a lite server makes none.
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.peer.entities cimport Path, SwarmState

cdef enum:
    SEEK_FIRST_US = 100000
    SEEK_DOUBLINGS = 4             # up to 1.6 s
    CHECK_US = 5000000             # 0.8 to 1.2 of it

# Takes over the server's credentials, and makes new ones of its own (RFC 8445 section 9). OK, E_MALFORMED when they have impossible lengths, or E_NOMEM.
cdef int agent_set(Path* p, const u8* ufrag, size_t ufrag_size, const u8* password, size_t password_size) noexcept nogil
cdef void agent_free(Path* p) noexcept nogil
# Checks densely from now on, the first one at once.
cdef void agent_seek(Path* p, us_t now) noexcept nogil
# Sends a check and arranges the next.
cdef void agent_check(SwarmState* s, Path* p, us_t now) noexcept nogil
# A STUN datagram. True for an answer that counts.
cdef bint agent_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil
# The path's own random numbers: they follow from its seed.
cdef u64 path_random(Path* p) noexcept nogil
