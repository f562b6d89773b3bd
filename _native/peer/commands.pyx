"""What is asked of a swarm by number; see commands.pxd."""

from libc.string cimport memcpy, memset

from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_NOMEM, E_STATE, OK, Tuple, u32, u64, u8, us_t
from simplestchat._native.peer.agent cimport agent_seek, agent_set
from simplestchat._native.peer.entities cimport MAX_PATHS, OWN_PASSWORD_SIZE, OWN_UFRAG_SIZE, Path, Publication, Reception, SwarmState
from simplestchat._native.peer.link cimport (
    Link, LinkSettings, LinkTotals, link_new, link_queue_us, link_rate, link_reseed, link_set, link_totals,
)
from simplestchat._native.peer.path cimport path_expect, path_leave, path_new, path_rebind, path_silence, path_want
from simplestchat._native.peer.receiver cimport ReceiverTotals, receiver_totals
from simplestchat._native.peer.sender cimport (
    SenderTotals, sender_bitrate, sender_keyframe, sender_layers, sender_mute, sender_talk, sender_totals,
)
from simplestchat._native.peer.settings cimport ReceiverSettings, SenderSettings
from simplestchat._native.peer.sources cimport sources_judge
from simplestchat._native.peer.timers cimport peer_timers_hasten
from simplestchat._native.peer.tracks cimport (
    publication_add, publication_remove, reception_add, reception_close, reception_end, reception_remove, reception_resume,
)


cdef Path* _path(SwarmState* s, u32 id) noexcept nogil:
    cdef u64 value
    return <Path*>value if table64_get(&s.by_path, id, &value) else NULL


cdef Publication* _sender(SwarmState* s, u32 id) noexcept nogil:
    cdef u64 value
    return <Publication*>value if table64_get(&s.by_sender, id, &value) else NULL


cdef Reception* _receiver(SwarmState* s, u32 id) noexcept nogil:
    cdef u64 value
    return <Reception*>value if table64_get(&s.by_receiver, id, &value) else NULL


# Paths.


cdef int _expect(Path* p, const IceArguments* ice, int hash, const u8* digest, size_t digest_size) noexcept nogil:
    cdef int status = agent_set(p, ice.ufrag, ice.ufrag_size, ice.password, ice.password_size)
    return path_expect(p, hash, digest, digest_size) if status == OK else status


cdef int command_add_path(SwarmState* s, u32 id, u32 user, const Tuple* server, const IceArguments* ice, int hash, const u8* digest,
                          size_t digest_size, u64 seed) noexcept nogil:
    cdef Path* p
    cdef int status
    if _path(s, id) != NULL:
        return E_STATE
    p = path_new(s, id, user, server, seed, s.now)
    if p == NULL:
        return E_LIMIT if s.path_count >= MAX_PATHS else E_NOMEM
    status = _expect(p, ice, hash, digest, digest_size)
    if status == OK:
        path_want(s, p)
    else:
        p.silent = 1
        path_leave(s, p, s.now)
    return status


cdef int command_restart(SwarmState* s, u32 id, const IceArguments* ice) noexcept nogil:
    cdef Path* p = _path(s, id)
    cdef int status
    if p == NULL:
        return UNKNOWN
    status = agent_set(p, ice.ufrag, ice.ufrag_size, ice.password, ice.password_size)
    if status == OK:
        agent_seek(p, s.now)
        peer_timers_hasten(&s.timers, p, s.now)
    return status


cdef u64 _link_seed(Path* p, int direction) noexcept nogil:
    """Of each link that a path has had, from the path's seed alone."""
    cdef u64 state = p.seed
    p.links[direction] += 1
    return splitmix(&state) ^ (<u64>direction << 32 | p.links[direction])


cdef int _set_link(Path* p, Link** link, u8* clear, int direction, const LinkSettings* settings) noexcept nogil:
    cdef LinkSettings none
    cdef u64 seed
    if settings == NULL:
        memset(&none, 0, sizeof(none))
        clear[0] = 1
        if link[0] != NULL:
            link_set(link[0], &none)
        return OK
    if link[0] == NULL or clear[0]:    # one that still empties itself goes on as a new one would
        seed = _link_seed(p, direction)
        if link[0] == NULL:
            link[0] = link_new(seed)
        else:
            link_reseed(link[0], seed)
    if link[0] == NULL:
        return E_NOMEM
    clear[0] = 0
    link_set(link[0], settings)
    return OK


cdef int command_network(SwarmState* s, u32 id, const LinkSettings* up, const LinkSettings* down) noexcept nogil:
    cdef Path* p = _path(s, id)
    cdef int status
    if p == NULL:
        return UNKNOWN
    status = _set_link(p, &p.up, &p.up_clear, 0, up)
    if status == OK:
        status = _set_link(p, &p.down, &p.down_clear, 1, down)
    if down != NULL and down.corrupt:
        p.damages = 1
    peer_timers_hasten(&s.timers, p, s.now)
    return status


cdef void _read_link(const Link* link, us_t now, LinkAccount* out) noexcept nogil:
    cdef LinkTotals totals
    memset(out, 0, sizeof(LinkAccount))
    if link == NULL:
        return
    link_totals(link, &totals)
    out.rate_bps = link_rate(link)
    out.queue_us = link_queue_us(link, now)
    out.bytes = totals.bytes
    out.queue_drops = totals.queue_drops


cdef int command_path(SwarmState* s, u32 id, bint remove, PathAccount* out) noexcept nogil:
    cdef Path* p = _path(s, id)
    if p == NULL:
        return UNKNOWN
    sources_judge(p, s.now)
    out.totals = p.totals
    out.state = p.state
    out.rtt_us = p.rtt_us
    out.remb_bps = p.remb_bps
    _read_link(p.up, s.now, &out.links[0])
    _read_link(p.down, s.now, &out.links[1])
    memcpy(out.ufrag, p.own_ufrag, OWN_UFRAG_SIZE)
    memcpy(out.password, p.own_password, OWN_PASSWORD_SIZE)
    if remove:
        path_leave(s, p, s.now)
    return OK


# Tracks.


cdef int command_add_sender(SwarmState* s, u32 path, const SenderSettings* settings) noexcept nogil:
    cdef Path* p = _path(s, path)
    return publication_add(s, p, settings, s.now) if p != NULL else UNKNOWN


cdef int command_add_receiver(SwarmState* s, u32 path, const ReceiverSettings* settings) noexcept nogil:
    cdef Path* p = _path(s, path)
    return reception_add(s, p, settings, s.now) if p != NULL else UNKNOWN


cdef int command_bitrate(SwarmState* s, u32 sender, u32 layer, u32 bitrate_bps) noexcept nogil:
    cdef Publication* t = _sender(s, sender)
    if t == NULL:
        return UNKNOWN
    return sender_bitrate(t.sender, <u8>layer, bitrate_bps) if layer < 0x100 else E_MALFORMED


cdef int command_sender(SwarmState* s, u32 id, bint remove, SenderTotals* out) noexcept nogil:
    cdef Publication* t = _sender(s, id)
    if t == NULL:
        return UNKNOWN
    sender_totals(t.sender, out)
    if remove:
        publication_remove(s, t)
    return OK


cdef int command_receiver(SwarmState* s, u32 id, bint remove, bint has_expected, u32 expected, ReceiverTotals* out) noexcept nogil:
    cdef Reception* r = _receiver(s, id)
    if r == NULL:
        return UNKNOWN
    if remove:
        reception_close(s, r, has_expected, expected, s.now)
    receiver_totals(r.receiver, out)
    if remove:
        reception_remove(s, r, s.now)
    return OK


cdef int _command_path(SwarmState* s, int kind, u32 id) noexcept nogil:
    cdef Path* p = _path(s, id)
    if p == NULL:
        return UNKNOWN
    if kind == COMMAND_REBIND:
        path_rebind(s, p, s.now)
    else:
        path_silence(s, p, s.now)
    return OK


cdef int _command_sender(SwarmState* s, int kind, u32 id, bint flag, u32 number) noexcept nogil:
    cdef Publication* t = _sender(s, id)
    if t == NULL:
        return UNKNOWN
    if kind == COMMAND_MUTE:
        t.muted = flag
        t.forbidden = number != 0
        sender_mute(t.sender, flag, t.forbidden, s.now)
    elif kind == COMMAND_LAYERS:
        t.layers = <u8>number
        sender_layers(t.sender, t.layers, s.now)
    elif kind == COMMAND_TALK:
        sender_talk(t.sender, flag, s.now)
    else:
        sender_keyframe(t.sender, 0, s.now)
    peer_timers_hasten(&s.timers, t.path, s.now)
    return OK


cdef int _command_receiver(SwarmState* s, int kind, u32 id, bint flag, u32 number) noexcept nogil:
    cdef Reception* r = _receiver(s, id)
    if r == NULL:
        return UNKNOWN
    if kind == COMMAND_END:
        reception_end(s, r, flag, number, s.now)
    else:
        reception_resume(s, r, s.now)
    return OK


cdef int command(SwarmState* s, int kind, u32 id, bint flag, u32 number) noexcept nogil:
    if kind <= COMMAND_SILENCE:
        return _command_path(s, kind, id)
    if kind <= COMMAND_TALK:
        return _command_sender(s, kind, id, flag, number)
    return _command_receiver(s, kind, id, flag, number)
