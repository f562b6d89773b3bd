"""The tracks of a path; see tracks.pxd."""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy

from simplestchat._native.core.table cimport table64_get, table64_remove
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_NOMEM, E_STATE, OK, u32, u64, us_t
from simplestchat._native.peer.entities cimport (
    MAX_PATH_RECEIVERS, MAX_PATH_SENDERS, MAX_SWARM_RECEIVERS, MAX_SWARM_SENDERS, PATH_SUMS, RECEIVED_SUMS, SENT_SUMS,
    SUMS, Path, Publication, Reception, SwarmState,
)
from simplestchat._native.peer.idtable cimport idtable_put
from simplestchat._native.peer.receiver cimport (
    ReceiverTotals, receiver_close, receiver_deadline, receiver_end, receiver_free, receiver_new, receiver_resume, receiver_settings,
    receiver_settle, receiver_totals,
)
from simplestchat._native.peer.sender cimport (
    Sender, SenderTotals, sender_free, sender_layers, sender_mute, sender_new, sender_settings, sender_totals,
)
from simplestchat._native.peer.settings cimport PEER_EXT_TRANSPORT_CC, ReceiverSettings, SenderSettings
from simplestchat._native.peer.sources cimport source_add, source_retire, sources_judge
from simplestchat._native.peer.timers cimport peer_timers_hasten

cdef enum:
    ALL_LAYERS = 0xFF


# Sums.


cdef void _add_sent(u64* sums, const Publication* t) noexcept nogil:
    cdef SenderTotals totals
    cdef const u64* counts = <const u64*>&totals
    cdef int i
    sender_totals(t.sender, &totals)
    for i in range(SENT_SUMS):
        sums[i] += counts[i]


cdef void _add_received(u64* sums, const Reception* r) noexcept nogil:
    cdef ReceiverTotals totals
    cdef const u64* counts = <const u64*>&totals
    cdef int i
    receiver_totals(r.receiver, &totals)
    for i in range(RECEIVED_SUMS):
        sums[SENT_SUMS + i] += counts[i]


cdef void tracks_count(SwarmState* s, Path* p) noexcept nogil:
    cdef u64 sums[SUMS]
    cdef const u64* counts = <const u64*>&p.totals
    cdef u32 i
    cdef int k
    sources_judge(p, s.now)
    memcpy(sums, p.ended, sizeof(sums))
    for i in range(p.publication_count):
        _add_sent(sums, p.publications[i])
    for i in range(p.reception_count):
        _add_received(sums, p.receptions[i])
    for k in range(PATH_SUMS):
        sums[SENT_SUMS + RECEIVED_SUMS + k] += counts[k]
    for k in range(SUMS):
        s.sums[k] += sums[k] - p.counted[k]
    memcpy(p.counted, sums, sizeof(sums))


# Senders.


cdef int publication_add(SwarmState* s, Path* p, const SenderSettings* settings, us_t now) noexcept nogil:
    cdef Publication* t
    cdef u64 taken
    cdef int status
    if table64_get(&s.by_sender, settings.id, &taken):
        return E_STATE
    if p.publication_count >= MAX_PATH_SENDERS:
        return E_LIMIT
    t = <Publication*>calloc(1, sizeof(Publication))
    if t == NULL:
        return E_NOMEM
    t.path = p
    t.id = settings.id
    t.layers = ALL_LAYERS
    t.sender = sender_new(settings, now)
    status = idtable_put(&s.by_sender, settings.id, <u64>t, MAX_SWARM_SENDERS, s.table_seed) if t.sender != NULL else E_MALFORMED
    if status != OK:
        sender_free(t.sender)
        free(t)
        return status
    p.publications[p.publication_count] = t
    p.publication_count += 1
    s.sender_count += 1
    t.started = p.send_srtp != NULL
    peer_timers_hasten(&s.timers, p, now)
    return OK


cdef void publication_remove(SwarmState* s, Publication* t) noexcept nogil:
    cdef Path* p = t.path
    cdef u32 i
    _add_sent(p.ended, t)
    for i in range(p.publication_count):
        if p.publications[i] == t:
            p.publication_count -= 1
            p.publications[i] = p.publications[p.publication_count]
            break
    s.sender_count -= 1
    table64_remove(&s.by_sender, t.id)
    sender_free(t.sender)
    free(t)


cdef void tracks_start(Path* p, us_t now) noexcept nogil:
    cdef SenderSettings settings
    cdef Publication* t
    cdef Sender* fresh
    cdef u32 i
    for i in range(p.publication_count):
        t = p.publications[i]
        settings = sender_settings(t.sender)[0]
        fresh = sender_new(&settings, now)
        if fresh != NULL:
            sender_free(t.sender)
            t.sender = fresh
        t.started = 1
        if t.layers != ALL_LAYERS:
            sender_layers(t.sender, t.layers, now)
        if t.muted:
            sender_mute(t.sender, True, t.forbidden, now)


# Receivers.


cdef bint _room_for_reception(Path* p) noexcept nogil:
    cdef u32 capacity = p.reception_capacity * 2 if p.reception_capacity else 4
    cdef void* grown
    if p.reception_count < p.reception_capacity:
        return True
    grown = realloc(p.receptions, capacity * sizeof(Reception*))
    if grown == NULL:
        return False
    p.receptions = <Reception**>grown
    p.reception_capacity = capacity
    return True


cdef int _link_sources(SwarmState* s, Path* p, const ReceiverSettings* settings, Reception* r, us_t now) noexcept nogil:
    cdef int status = source_add(p, settings.ssrc, False, settings.codec, r)
    if status == OK and settings.rtx_ssrc:
        status = source_add(p, settings.rtx_ssrc, True, settings.codec, r)
    if status == OK:
        status = idtable_put(&s.by_receiver, settings.id, <u64>r, MAX_SWARM_RECEIVERS, s.table_seed)
    if status != OK:
        source_retire(p, settings.ssrc, r, now)
        source_retire(p, settings.rtx_ssrc, r, now)
    return status


cdef int reception_add(SwarmState* s, Path* p, const ReceiverSettings* settings, us_t now) noexcept nogil:
    cdef Reception* r
    cdef u64 taken
    cdef int status
    if table64_get(&s.by_receiver, settings.id, &taken):
        return E_STATE
    if p.reception_count >= MAX_PATH_RECEIVERS:
        return E_LIMIT
    r = <Reception*>calloc(1, sizeof(Reception))
    if r == NULL:
        return E_NOMEM
    sources_judge(p, now)
    r.path = p
    r.id = settings.id
    r.video = settings.video
    r.layers_told = 0xFFFF
    r.since_us = now
    r.wanted_us = settings.wanted_us if 0 < settings.wanted_us < now else now
    r.receiver = receiver_new(settings, now)
    status = E_NOMEM
    if r.receiver != NULL and _room_for_reception(p):
        status = _link_sources(s, p, settings, r, now)
    if status != OK:
        receiver_free(r.receiver)
        free(r)
        return status
    p.transport_ext = settings.ext[PEER_EXT_TRANSPORT_CC] or p.transport_ext
    r.at = p.reception_count
    p.receptions[r.at] = r
    p.reception_count += 1
    s.receiver_count += 1
    p.feedback_us = min(p.feedback_us, receiver_deadline(r.receiver))
    peer_timers_hasten(&s.timers, p, p.feedback_us)
    return OK


cdef void reception_remove(SwarmState* s, Reception* r, us_t now) noexcept nogil:
    cdef Path* p = r.path
    cdef const ReceiverSettings* settings = receiver_settings(r.receiver)
    _add_received(p.ended, r)
    source_retire(p, settings.ssrc, r, now)
    source_retire(p, settings.rtx_ssrc, r, now)
    p.reception_count -= 1
    p.receptions[r.at] = p.receptions[p.reception_count]
    p.receptions[r.at].at = r.at
    s.receiver_count -= 1
    table64_remove(&s.by_receiver, r.id)
    receiver_free(r.receiver)
    free(r)


cdef void reception_end(SwarmState* s, Reception* r, bint has_expected, u32 expected, us_t now) noexcept nogil:
    if not r.ended:
        receiver_settle(r.receiver, now, s.ledger)
        receiver_end(r.receiver, now, has_expected, expected)


cdef void reception_close(SwarmState* s, Reception* r, bint has_expected, u32 expected, us_t now) noexcept nogil:
    if not r.ended:
        reception_end(s, r, has_expected, expected, now)
        receiver_close(r.receiver, now, s.ledger)


cdef void reception_resume(SwarmState* s, Reception* r, us_t now) noexcept nogil:
    cdef ReceiverTotals totals
    if r.ended:
        return
    receiver_resume(r.receiver, now)
    receiver_totals(r.receiver, &totals)
    r.since_us = r.wanted_us = now
    r.keyframes_before = totals.keyframes
    r.packet_told = r.frame_told = 0
    r.path.feedback_us = min(r.path.feedback_us, receiver_deadline(r.receiver))
    peer_timers_hasten(&s.timers, r.path, r.path.feedback_us)


cdef void tracks_end(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef u32 i
    for i in range(p.reception_count):
        reception_close(s, p.receptions[i], False, 0, now)
        p.receptions[i].ended = 1


cdef void tracks_free(SwarmState* s, Path* p) noexcept nogil:
    while p.publication_count:
        publication_remove(s, p.publications[p.publication_count - 1])
    while p.reception_count:
        reception_close(s, p.receptions[p.reception_count - 1], False, 0, s.now)
        reception_remove(s, p.receptions[p.reception_count - 1], s.now)
    tracks_count(s, p)
