"""RTCP of a path; see feedback.pxd."""

from simplestchat._native.core.types cimport E_AUTH, E_REPLAY, OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtcp cimport srtcp_open, srtcp_seal
from simplestchat._native.peer.agent cimport path_random
from simplestchat._native.peer.arrivals cimport arrivals_write
from simplestchat._native.peer.entities cimport PEER_NEVER_US, Path, PeerSource, Publication, Reception, SwarmState
from simplestchat._native.peer.media cimport media_seal, media_unopened
from simplestchat._native.peer.output cimport PEER_PACKETS, PEER_SLOT, peer_commit, peer_reserve
from simplestchat._native.peer.receiver cimport (
    receiver_deadline, receiver_nacks, receiver_report, receiver_sender_report, receiver_settings, receiver_settle,
    receiver_wants_keyframe,
)
from simplestchat._native.peer.sender cimport (
    Outgoing, sender_deadline, sender_heard, sender_keyframe, sender_report, sender_resend, sender_settings,
)
from simplestchat._native.peer.settings cimport PEER_MAX_LAYERS, SenderSettings
from simplestchat._native.peer.sources cimport source_find
from simplestchat._native.peer.timers cimport peer_timers_hasten
from simplestchat._native.stream.send cimport ntp_add
from simplestchat._native.wire.rtcp cimport (
    PSFB_AFB, PSFB_FIR, PSFB_PLI, RTCP_NACK_MAX_ITEMS, RTCP_PSFB, RTCP_RR, RTCP_RTPFB, RTCP_SR, RTPFB_NACK,
    RTPFB_TWCC, NackItem, Remb, ReportBlock, RtcpView, SenderInfo, rtcp_next, rtcp_read_fir, rtcp_read_nack,
    rtcp_read_remb, rtcp_read_report, rtcp_read_sr, rtcp_write_nack, rtcp_write_pli, rtcp_write_rr, rtcp_write_sdes,
    rtcp_write_sr,
)

cdef enum:
    REPORT_US = 1000000
    DATAGRAM = 1160                # plain: with tag and index below 1200
    REPORT_SIZE = 28 + 24          # an SR's head and an SDES; a block has 24 more
    BLOCK_SIZE = 24
    BLOCKS_MAX = 31                # a report's count has five bits
    NACK_SIZE = 12 + 4 * RTCP_NACK_MAX_ITEMS
    PLI_SIZE = 12
    RESENDS_PER_DATAGRAM = 64
    FIR_MAX_ENTRIES = 16
    NAME_SIZE = 9

cdef u64 NTP_1970 = <u64>2208988800 << 32
cdef const u8* NAME = b"synthetic"


cdef inline u64 _ntp(us_t now) noexcept nogil:
    """The run's clock in the format of sender reports; its origin is as good as any other."""
    return ntp_add(NTP_1970, now)


# What arrives.


cdef Publication* _publication(const Path* p, u32 ssrc) noexcept nogil:
    """Whose SSRC this is, for media or repair; NULL when we do not send it."""
    cdef const SenderSettings* settings
    cdef u32 i
    cdef int k
    for i in range(p.publication_count):
        settings = sender_settings(p.publications[i].sender)
        for k in range(settings.layer_count):
            if ssrc and (settings.layers[k].ssrc == ssrc or settings.layers[k].rtx_ssrc == ssrc):
                return p.publications[i]
    return NULL


cdef void _read_sender_info(Path* p, const u8* data, const RtcpView* view, us_t arrival) noexcept nogil:
    cdef SenderInfo info
    cdef PeerSource* source
    if rtcp_read_sr(data, view, &info) == OK:
        source = source_find(p, info.ssrc)
        if source != NULL and source.reception != NULL and not source.repair:
            receiver_sender_report(source.reception.receiver, &info, arrival)


cdef void _read_blocks(Path* p, const u8* data, const RtcpView* view, us_t arrival) noexcept nogil:
    cdef ReportBlock block
    cdef Publication* publication
    cdef int i
    for i in range(view.count):
        if rtcp_read_report(data, view, <u8>i, &block) != OK:
            return
        publication = _publication(p, block.ssrc)
        if publication != NULL:
            sender_heard(publication.sender, &block, _ntp(arrival), arrival)


cdef int _resend(SwarmState* s, Path* p, Publication* publication, u32 ssrc, const NackItem* item, int budget, us_t now) noexcept nogil:
    cdef Outgoing packet
    cdef int bit
    for bit in range(17):
        if budget == 0:
            break
        if bit and not (item.blp >> (bit - 1)) & 1:
            continue
        if sender_resend(publication.sender, ssrc, <u16>(item.pid + bit), now, &packet):
            media_seal(s, p, &packet, now)
            budget -= 1
    return budget


cdef int _read_nack(SwarmState* s, Path* p, const u8* data, const RtcpView* view, int budget, us_t now) noexcept nogil:
    cdef NackItem items[RTCP_NACK_MAX_ITEMS]
    cdef Publication* publication = _publication(p, view.media_ssrc)
    cdef int count = rtcp_read_nack(data, view, items, RTCP_NACK_MAX_ITEMS)
    cdef int i
    if publication == NULL or not publication.started:
        return budget
    for i in range(count):
        budget = _resend(s, p, publication, view.media_ssrc, &items[i], budget, now)
    return budget


cdef void _want_keyframe(SwarmState* s, Path* p, u32 ssrc, us_t now) noexcept nogil:
    cdef Publication* publication = _publication(p, ssrc)
    if publication != NULL and publication.started:
        sender_keyframe(publication.sender, ssrc, now)
        peer_timers_hasten(&s.timers, p, sender_deadline(publication.sender))


cdef void _read_payload_feedback(SwarmState* s, Path* p, const u8* data, const RtcpView* view, us_t now) noexcept nogil:
    cdef Remb remb
    cdef u32 ssrcs[FIR_MAX_ENTRIES]
    cdef u8 sequences[FIR_MAX_ENTRIES]
    cdef int count, i
    if view.count == PSFB_PLI:
        _want_keyframe(s, p, view.media_ssrc, now)
    elif view.count == PSFB_FIR:
        count = rtcp_read_fir(data, view, ssrcs, sequences, FIR_MAX_ENTRIES)
        for i in range(count):
            _want_keyframe(s, p, ssrcs[i], now)
    elif view.count == PSFB_AFB and rtcp_read_remb(data, view, &remb) == OK:
        p.remb_bps = remb.bitrate_bps


cdef void feedback_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil:
    cdef RtcpView view
    cdef size_t pos = 0
    cdef int budget = RESENDS_PER_DATAGRAM
    cdef int plain = srtcp_open(p.recv_srtp, data, size, s.scratch, sizeof(s.scratch))
    if plain < 0:
        media_unopened(p, E_REPLAY if plain == E_REPLAY else E_AUTH)
        return
    while rtcp_next(s.scratch, plain, &pos, &view) == 1:
        if view.type == RTCP_SR:
            _read_sender_info(p, s.scratch, &view, arrival)
            _read_blocks(p, s.scratch, &view, arrival)
        elif view.type == RTCP_RR:
            _read_blocks(p, s.scratch, &view, arrival)
        elif view.type == RTCP_RTPFB and view.count == RTPFB_NACK:
            budget = _read_nack(s, p, s.scratch, &view, budget, now)
        elif view.type == RTCP_RTPFB and view.count == RTPFB_TWCC:
            p.feedbacks += 1
        elif view.type == RTCP_PSFB:
            _read_payload_feedback(s, p, s.scratch, &view, now)


# What leaves.


cdef void _flush(SwarmState* s, Path* p, int* size, us_t now) noexcept nogil:
    """Sends what s.compose holds."""
    cdef u8* out = peer_reserve(&s.out)
    cdef int sealed
    if size[0] > 0 and out != NULL:
        sealed = srtcp_seal(p.send_srtp, s.compose, size[0], out, PEER_SLOT)
        if sealed > 0:
            peer_commit(s, p, sealed, 0, now)
    size[0] = 0


cdef bint feedback_ask(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef NackItem items[RTCP_NACK_MAX_ITEMS]
    cdef us_t first = PEER_NEVER_US
    cdef Reception* r
    cdef u32 i, ssrc
    cdef int size = 0
    cdef int count
    for i in range(p.reception_count):
        r = p.receptions[i]
        if receiver_deadline(r.receiver) <= now:
            if size + NACK_SIZE + PLI_SIZE > DATAGRAM:
                _flush(s, p, &size, now)
            if s.out.count >= PEER_PACKETS - 1:
                return True                    # what the rest wants to ask is still due
            ssrc = receiver_settings(r.receiver).ssrc
            count = receiver_nacks(r.receiver, now, items, RTCP_NACK_MAX_ITEMS)
            if count > 0:
                size += rtcp_write_nack(s.compose + size, sizeof(s.compose) - size, p.rtcp_ssrc, ssrc, items, count)
            if receiver_wants_keyframe(r.receiver, now):
                size += rtcp_write_pli(s.compose + size, sizeof(s.compose) - size, p.rtcp_ssrc, ssrc)
        first = min(first, receiver_deadline(r.receiver))
    _flush(s, p, &size, now)
    p.feedback_us = first
    return False


cdef bint feedback_arrivals(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef u32 media = p.sources[0].ssrc if p.source_count else 0      # it must be one; the numbers are all of them
    cdef int size = 1
    while size > 0:
        if s.out.count >= PEER_PACKETS - 1:
            return True
        size = arrivals_write(p.arrivals, p.rtcp_ssrc, media, now, s.compose, DATAGRAM)
        _flush(s, p, &size, now)
        size = p.arrivals.due_us <= now
    return False


cdef u32 _blocks(Path* p, u32* at, ReportBlock* out, us_t now) noexcept nogil:
    """The next report blocks, of receivers that got something; *at goes on."""
    cdef u32 count = 0
    while at[0] < p.reception_count and count < BLOCKS_MAX:
        if p.receptions[at[0]].packet_told:
            receiver_report(p.receptions[at[0]].receiver, now, &out[count])
            count += 1
        at[0] += 1
    return count


cdef void _add_report(SwarmState* s, Path* p, int* size, const SenderInfo* info, u32* at, us_t now) noexcept nogil:
    """A sender report (receiver report without `info`), as many blocks as there are, and an SDES."""
    cdef ReportBlock blocks[BLOCKS_MAX]
    cdef u32 count = _blocks(p, at, blocks, now)
    cdef u32 ssrc = p.rtcp_ssrc
    if size[0] + REPORT_SIZE + BLOCK_SIZE * <int>count > DATAGRAM:
        _flush(s, p, size, now)
    if info != NULL:
        ssrc = info.ssrc
        size[0] += rtcp_write_sr(s.compose + size[0], sizeof(s.compose) - size[0], info, blocks, <u8>count)
    else:
        size[0] += rtcp_write_rr(s.compose + size[0], sizeof(s.compose) - size[0], ssrc, blocks, <u8>count)
    size[0] += rtcp_write_sdes(s.compose + size[0], sizeof(s.compose) - size[0], ssrc, NAME, NAME_SIZE)


cdef void feedback_report(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef SenderInfo info
    cdef u32 at = 0
    cdef u32 i
    cdef int layer
    cdef int size = 0
    for i in range(p.publication_count):
        for layer in range(PEER_MAX_LAYERS):
            if not p.publications[i].started or not sender_report(p.publications[i].sender, now, _ntp(now), &info):
                break
            _add_report(s, p, &size, &info, &at, now)
    while at < p.reception_count:
        _add_report(s, p, &size, NULL, &at, now)
    _flush(s, p, &size, now)
    for i in range(p.reception_count):
        if not p.receptions[i].ended:
            receiver_settle(p.receptions[i].receiver, now, s.ledger)
    p.report_us = now + REPORT_US * 3 // 4 + <us_t>(path_random(p) % (REPORT_US // 2))
