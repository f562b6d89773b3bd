# Datagrams that leave a swarm: written into one arena, sent by the loop in order; those of a path with an emulated uplink pass it first.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.peer.entities cimport Path, PeerQueue, SwarmState

cdef enum:
    PEER_PACKETS = 256
    PEER_SLOT = 1600                # room that peer_reserve promises: a datagram of ours is never larger
    PEER_HEADROOM = 96              # packets that one received datagram, or one step of a path's tick, can cause at most

cdef int peer_out_init(PeerQueue* q) noexcept nogil               # OK or E_NOMEM
cdef void peer_out_free(PeerQueue* q) noexcept nogil
# Room for PEER_SLOT bytes, NULL when the queue is full.
cdef inline u8* peer_reserve(PeerQueue* q) noexcept nogil:
    return q.arena + q.used if q.count < PEER_PACKETS else NULL
cdef inline bint peer_has_headroom(const PeerQueue* q) noexcept nogil:
    return q.count + PEER_HEADROOM <= PEER_PACKETS
cdef inline void peer_out_clear(PeerQueue* q) noexcept nogil:
    q.used = 0
    q.count = 0
# Sends the first `size` bytes of the reservation on the path's way: its link, or the queue. `due` 0: its lag is nobody's business.
cdef void peer_commit(SwarmState* s, Path* p, u32 size, us_t due, us_t now) noexcept nogil
# What has passed the uplink until `now`, into the queue. True when the queue filled up before.
cdef bint peer_uplink(SwarmState* s, Path* p, us_t now) noexcept nogil
