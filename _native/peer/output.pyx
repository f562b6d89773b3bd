"""Datagrams that leave a swarm; see output.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from simplestchat._native.core.histogram cimport histogram_add
from simplestchat._native.core.types cimport E_NOMEM, OK, u32, u8, us_t
from simplestchat._native.peer.entities cimport Path, PeerPacket, PeerQueue, SwarmState
from simplestchat._native.peer.link cimport link_deadline, link_put, link_take
from simplestchat._native.peer.timers cimport peer_timers_hasten
from simplestchat._native.wire.demux cimport KIND_RTP, demux


cdef int peer_out_init(PeerQueue* q) noexcept nogil:
    q.arena = <u8*>malloc(PEER_PACKETS * PEER_SLOT)
    q.packets = <PeerPacket*>malloc(PEER_PACKETS * sizeof(PeerPacket))
    peer_out_clear(q)
    return OK if q.arena != NULL and q.packets != NULL else E_NOMEM


cdef void peer_out_free(PeerQueue* q) noexcept nogil:
    free(q.arena)
    free(q.packets)
    q.arena = NULL
    q.packets = NULL


cdef inline void _queue(PeerQueue* q, Path* p, u32 size, us_t due) noexcept nogil:
    q.packets[q.count].path = p
    q.packets[q.count].off = q.used
    q.packets[q.count].size = size
    q.packets[q.count].due_us = due
    q.used += size
    q.count += 1


cdef void peer_commit(SwarmState* s, Path* p, u32 size, us_t due, us_t now) noexcept nogil:
    p.totals.packets_out += 1
    p.totals.bytes_out += size
    if p.up == NULL:
        _queue(&s.out, p, size, due)
        return
    if due:
        histogram_add(&s.measures.lag, now - due)
    link_put(p.up, s.out.arena + s.out.used, size, now)
    peer_timers_hasten(&s.timers, p, link_deadline(p.up))


cdef bint peer_uplink(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef const u8* data
    cdef us_t at = 0
    cdef u32 size
    cdef u8* out = peer_reserve(&s.out)
    while out != NULL:
        size = link_take(p.up, now, &data, &at)
        if size == 0:
            return False
        memcpy(out, data, size)
        _queue(&s.out, p, size, at if demux(out, size) == KIND_RTP else 0)
        out = peer_reserve(&s.out)
    return link_deadline(p.up) <= now
