"""RTP of a path; see media.pxd."""

from libc.string cimport memset

from simplestchat._native.core.bytes cimport get16, put16
from simplestchat._native.core.types cimport E_AUTH, E_REPLAY, OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SrtpRecvState, srtp_open, srtp_seal
from simplestchat._native.peer.arrivals cimport arrivals_new, arrivals_packet
from simplestchat._native.peer.entities cimport PEER_NEVER_US, Path, PeerSource, Reception, SwarmState
from simplestchat._native.peer.events cimport EVENT_FIRST_FRAME, EVENT_FIRST_PACKET, EVENT_LAYER, swarm_event
from simplestchat._native.core.histogram cimport histogram_add
from simplestchat._native.peer.output cimport PEER_SLOT, peer_commit, peer_reserve
from simplestchat._native.peer.payload cimport PAYLOAD_AV1, PAYLOAD_OPUS, PayloadFrame, payload_read
from simplestchat._native.peer.receiver cimport (
    ReceiverTotals, receiver_deadline, receiver_layers, receiver_packet, receiver_repair, receiver_totals,
)
from simplestchat._native.peer.sender cimport Outgoing, sender_deadline, sender_next
from simplestchat._native.peer.sources cimport source_find, source_strange
from simplestchat._native.peer.stamp cimport Stamp, stamp_read
from simplestchat._native.peer.timers cimport peer_timers_hasten
from simplestchat._native.wire.rtp cimport RtpExt, RtpView, rtp_ext_find, rtp_parse, rtp_payload_size

cdef enum:
    RTX_PREFIX = 2                 # the original sequence number (RFC 4588)


cdef void media_unopened(Path* p, int status) noexcept nogil:
    if status == E_AUTH:
        p.totals.undecryptable += 1
        p.totals.corrupt += not p.damages
    elif status == E_REPLAY:
        p.totals.replayed += 1
    else:
        p.totals.dropped += 1


cdef void _numbered(SwarmState* s, Path* p, const u8* data, const RtpView* view, us_t arrival) noexcept nogil:
    """Notes an authentic packet, of whatever SSRC, that has a transport-wide number."""
    cdef RtpExt ext
    if not rtp_ext_find(data, view, p.transport_ext, &ext) or ext.size != 2:
        return
    if p.arrivals == NULL:
        p.arrivals = arrivals_new()
        if p.arrivals == NULL:
            return
    arrivals_packet(p.arrivals, get16(data + ext.off), arrival)
    peer_timers_hasten(&s.timers, p, p.arrivals.due_us)


cdef bint _is_ours(const u8* payload, int size) noexcept nogil:
    """Does a payload of any codec carry a whole stamp?"""
    cdef PayloadFrame frame
    cdef Stamp stamp
    cdef int codec, at
    if size <= 0:
        return False
    for codec in range(PAYLOAD_OPUS, PAYLOAD_AV1 + 1):
        at = payload_read(<u8>codec, payload, size, &frame)
        if at >= 0 and stamp_read(payload + at, size - at, &stamp) == OK:
            return True
    return False


cdef void _unknown(SwarmState* s, Path* p, const u8* data, u32 size, const RtpView* view, us_t arrival, us_t now) noexcept nogil:
    """Media on an SSRC that was never announced to us."""
    cdef SrtpRecvState fresh
    cdef u64 index
    cdef int plain
    memset(&fresh, 0, sizeof(fresh))
    plain = srtp_open(p.recv_srtp, &fresh, data, size, view.header_size, s.scratch, sizeof(s.scratch), &index)
    if plain < 0:
        media_unopened(p, plain)
        return
    if p.transport_ext:
        _numbered(s, p, data, view, arrival)
    p.totals.unknown_ssrc += 1
    plain = rtp_payload_size(s.scratch, plain, view)
    if _is_ours(s.scratch + view.header_size, plain) or _is_ours(s.scratch + view.header_size + RTX_PREFIX, plain - RTX_PREFIX):
        source_strange(p, view.ssrc, now)


cdef void _retired(SwarmState* s, Path* p, const PeerSource* source, u32 plain, const RtpView* view) noexcept nogil:
    """Media, lying in the scratch, on the SSRC of a receiver that was removed: misdelivered if it was due later than that."""
    cdef PayloadFrame frame
    cdef Stamp stamp
    cdef int size = rtp_payload_size(s.scratch, plain, view)
    cdef const u8* payload = s.scratch + view.header_size
    cdef int at
    p.totals.unknown_ssrc += 1
    if source.repair:
        payload += RTX_PREFIX
        size -= RTX_PREFIX
    if size <= 0:
        return                     # a probe
    at = payload_read(source.codec, payload, size, &frame)
    if at >= 0 and stamp_read(payload + at, size - at, &stamp) == OK and stamp.sent_us > source.retired_us:
        p.totals.misdelivered += 1


cdef void _tell_firsts(SwarmState* s, Reception* r, us_t arrival) noexcept nogil:
    """The first packet and the first whole frame since the track was wanted, or wanted again."""
    cdef ReceiverTotals totals
    cdef us_t span = arrival - r.wanted_us
    receiver_totals(r.receiver, &totals)
    if not r.packet_told and totals.last_packet_us >= r.since_us and totals.packets:
        r.packet_told = 1
        histogram_add(&s.measures.first_packet, span)
        swarm_event(s, EVENT_FIRST_PACKET, r.id, span, 0)
    if r.packet_told and (not r.video or totals.keyframes > r.keyframes_before):
        r.frame_told = 1
        if r.video:                # a silent speaker's first packet may be 400 ms away and is nobody's picture
            histogram_add(&s.measures.first_frame, span)
        swarm_event(s, EVENT_FIRST_FRAME, r.id, span, 0)


cdef void media_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil:
    cdef RtpView view
    cdef PeerSource* source
    cdef Reception* r
    cdef u64 index
    cdef us_t deadline
    cdef u16 layers
    cdef int plain
    if rtp_parse(data, size, &view) != OK:
        p.totals.dropped += 1
        return
    source = source_find(p, view.ssrc)
    if source == NULL:
        _unknown(s, p, data, size, &view, arrival, now)
        return
    plain = srtp_open(p.recv_srtp, &source.srtp, data, size, view.header_size, s.scratch, sizeof(s.scratch), &index)
    if plain < 0:
        media_unopened(p, plain)
        return
    if p.transport_ext:
        _numbered(s, p, data, &view, arrival)
    r = source.reception
    if r == NULL:
        _retired(s, p, source, plain, &view)
        return
    if source.repair:
        receiver_repair(r.receiver, s.scratch, plain, &view, arrival, s.ledger, &s.measures.media)
    else:
        receiver_packet(r.receiver, s.scratch, plain, &view, index, arrival, s.ledger, &s.measures.media)
    if not r.frame_told:
        _tell_firsts(s, r, arrival)
    if r.video:
        layers = receiver_layers(r.receiver)
        if layers != r.layers_told and layers != 0xFFFF:
            r.layers_told = layers
            swarm_event(s, EVENT_LAYER, r.id, arrival, layers)
    deadline = receiver_deadline(r.receiver)
    if deadline < p.feedback_us:
        p.feedback_us = deadline
        peer_timers_hasten(&s.timers, p, deadline)


cdef bint media_seal(SwarmState* s, Path* p, const Outgoing* packet, us_t now) noexcept nogil:
    cdef u8* out = peer_reserve(&s.out)
    cdef int size
    if out == NULL:
        return False
    if packet.number_off:
        put16(packet.data + packet.number_off, p.transport_number)
        p.transport_number += 1
    size = srtp_seal(p.send_srtp, packet.index, packet.data, packet.header_size, NULL, 0, packet.data + packet.header_size,
                     packet.size - packet.header_size, out, PEER_SLOT)
    if size > 0:
        peer_commit(s, p, size, packet.due_us, now)
    return True


cdef bint media_send(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef Outgoing packet
    cdef u32 i
    for i in range(p.publication_count):
        while True:
            if peer_reserve(&s.out) == NULL:
                return True
            if not sender_next(p.publications[i].sender, now, &packet):
                break
            if p.consenting:
                media_seal(s, p, &packet, now)
    return False


cdef us_t media_deadline(const Path* p) noexcept nogil:
    cdef us_t first = PEER_NEVER_US
    cdef u32 i
    for i in range(p.publication_count):
        first = min(first, sender_deadline(p.publications[i].sender))
    return first
