"""RTCP of a transport; see reports.pxd."""

from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport OK, u32, u64, u8, us_t
from simplestchat._native.crypto.random cimport csprng_u32
from simplestchat._native.crypto.srtcp cimport srtcp_open
from simplestchat._native.engine.consumer cimport RESENDS_PER_DATAGRAM, consumer_resend
from simplestchat._native.engine.entities cimport (
    EXT_TRANSPORT_CC, TRANSPORT_CONNECTED, Consumer, Producer, ShardState, Source, Stream, Transport,
)
from simplestchat._native.engine.estimation cimport estimation_feedback, estimation_remb, estimation_report
from simplestchat._native.engine.feedback cimport feedback_send
from simplestchat._native.engine.output cimport OUT_PACKETS
from simplestchat._native.engine.producer cimport producer_want_keyframe
from simplestchat._native.stream.recv cimport recv_report, recv_sender_report
from simplestchat._native.stream.send cimport ntp_add, send_receiver_report, send_sender_report
from simplestchat._native.wire.rtcp cimport (
    PSFB_AFB, PSFB_FIR, PSFB_PLI, RTCP_NACK_MAX_ITEMS, RTCP_PSFB, RTCP_REMB_MAX_SSRCS, RTCP_RR, RTCP_RTPFB, RTCP_SR,
    RTPFB_NACK, RTPFB_TWCC, NackItem, Remb, ReportBlock, RtcpView, SenderInfo, rtcp_next, rtcp_read_fir, rtcp_read_nack, rtcp_read_remb,
    rtcp_read_report, rtcp_read_sr, rtcp_write_remb, rtcp_write_rr, rtcp_write_sdes, rtcp_write_sr,
)

cdef enum:
    REPORT_US = 1000000            # between regular reports, give or take a quarter (RFC 3550 section 6.2 wants them spread)
    REMB_BPS_PER_VIDEO = 10000000  # publishers ramp up to their own limit; loss holds them back
    REPORT_CHUNK = 1000            # start another datagram past this, so that none passes 1200 bytes
    FIR_MAX_ENTRIES = 16
    BLOCKS_MAX = 31                # a report's count has five bits


cdef Consumer* _consumer(Transport* t, u32 ssrc) noexcept nogil:
    """Who sends this SSRC to the transport's peer; NULL for an SSRC that we do not send there."""
    cdef u64 value
    return <Consumer*>value if table64_get(&t.sent_by_ssrc, ssrc, &value) else NULL


cdef void _read_sender_info(Transport* t, const u8* data, const RtcpView* view, us_t now) noexcept nogil:
    cdef SenderInfo info
    cdef u64 at
    cdef Source* source
    if rtcp_read_sr(data, view, &info) != OK or t.sources == NULL or not table64_get(&t.source_by_ssrc, info.ssrc, &at):
        return
    source = &t.sources[at]
    if source.producer != NULL and not source.repair:      # its producer may be closed while its reports still come
        recv_sender_report(&source.producer.streams[source.stream].stats, &info, now)


cdef void _read_blocks(ShardState* s, Transport* t, const u8* data, const RtcpView* view, us_t now) noexcept nogil:
    cdef ReportBlock block
    cdef Consumer* c
    cdef Stream* stream
    cdef u64 ntp, lost
    cdef int i
    for i in range(view.count):
        if rtcp_read_report(data, view, <u8>i, &block) != OK:
            return
        c = _consumer(t, block.ssrc)
        if c == NULL or block.ssrc != c.ssrc:
            continue
        stream = &c.producer.streams[c.stream]
        ntp = ntp_add(stream.stats.sr.ntp, now - stream.stats.sr_arrival_us)
        if stream.stats.sr_arrival_us == 0:
            block.lsr = 0                  # no report of ours can have been received: there is no round trip to tell
        lost = send_receiver_report(&c.send, &block, ntp, now)
        if not t.pipe:
            s.counters.reported_lost += lost
        t.reported_lost += lost
        estimation_report(s, t, c, block.fraction_lost, now)


cdef void _want_keyframe(ShardState* s, Transport* t, u32 ssrc, us_t now) noexcept nogil:
    cdef Consumer* c = _consumer(t, ssrc)
    if c != NULL and c.video and not c.paused:
        s.counters.keyframe_requests_in += not t.pipe
        producer_want_keyframe(s, c.producer, c.stream, now)


cdef int _read_nack(ShardState* s, Transport* t, const u8* data, const RtcpView* view, us_t now, int budget) noexcept nogil:
    cdef NackItem items[RTCP_NACK_MAX_ITEMS]
    cdef Consumer* c = _consumer(t, view.media_ssrc)
    cdef int count = rtcp_read_nack(data, view, items, RTCP_NACK_MAX_ITEMS)
    s.counters.nacks_in += not t.pipe
    if c == NULL or count <= 0 or view.media_ssrc != c.ssrc:
        return budget
    return consumer_resend(s, c, items, count, now, budget)


cdef void _read_payload_feedback(ShardState* s, Transport* t, const u8* data, const RtcpView* view, us_t now) noexcept nogil:
    cdef Remb remb
    cdef u32 ssrcs[FIR_MAX_ENTRIES]
    cdef u8 sequences[FIR_MAX_ENTRIES]
    cdef int i
    cdef int count
    if view.count == PSFB_PLI:
        _want_keyframe(s, t, view.media_ssrc, now)
    elif view.count == PSFB_FIR:
        count = rtcp_read_fir(data, view, ssrcs, sequences, FIR_MAX_ENTRIES)
        for i in range(count):
            _want_keyframe(s, t, ssrcs[i], now)
    elif view.count == PSFB_AFB and rtcp_read_remb(data, view, &remb) == OK:
        estimation_remb(s, t, remb.bitrate_bps, now)


cdef bint reports_receive(ShardState* s, Transport* t, const u8* data, u32 size, us_t now) noexcept nogil:
    cdef RtcpView view
    cdef size_t pos = 0
    cdef int budget = RESENDS_PER_DATAGRAM
    cdef int plain = srtcp_open(t.recv_srtp, data, size, s.scratch, sizeof(s.scratch))
    if plain < 0:
        s.counters.dropped_auth += 1
        t.dropped_in += 1
        return False
    while rtcp_next(s.scratch, plain, &pos, &view) == 1:
        if view.type == RTCP_SR:
            _read_sender_info(t, s.scratch, &view, now)
            _read_blocks(s, t, s.scratch, &view, now)
        elif view.type == RTCP_RR:
            _read_blocks(s, t, s.scratch, &view, now)
        elif view.type == RTCP_RTPFB and view.count == RTPFB_NACK:
            budget = _read_nack(s, t, s.scratch, &view, now, budget)
        elif view.type == RTCP_RTPFB and view.count == RTPFB_TWCC:
            estimation_feedback(s, t, s.scratch, &view, now)
        elif view.type == RTCP_PSFB:
            _read_payload_feedback(s, t, s.scratch, &view, now)
    return True


cdef int _write_receiver_report(ShardState* s, Transport* t, const ReportBlock* blocks, int count) noexcept nogil:
    cdef int size = rtcp_write_rr(s.compose, sizeof(s.compose), t.rtcp_ssrc, blocks, <u8>count)
    return size + rtcp_write_sdes(s.compose + size, sizeof(s.compose) - size, t.rtcp_ssrc, <const u8*>b"simplestchat", 12)


cdef void _send_receiver_reports(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """About everything that the peer publishes; REMB goes with the last of them."""
    cdef ReportBlock blocks[BLOCKS_MAX]
    cdef Producer* p
    cdef int count = 0
    cdef u32 i
    cdef int k
    for i in range(t.producer_count):
        p = t.producers[i]
        for k in range(p.stream_count):
            if not p.streams[k].stats.begun:
                continue
            if count == BLOCKS_MAX:
                feedback_send(s, t, _write_receiver_report(s, t, blocks, count))
                count = 0
            recv_report(&p.streams[k].stats, &blocks[count], now)
            count += 1
    feedback_send(s, t, _write_remb(s, t, _write_receiver_report(s, t, blocks, count)))


cdef int _write_remb(ShardState* s, Transport* t, int size) noexcept nogil:
    cdef u32 ssrcs[RTCP_REMB_MAX_SSRCS]
    cdef Producer* p
    cdef int count = 0
    cdef int videos = 0
    cdef u32 i
    cdef int k
    for i in range(t.producer_count):
        p = t.producers[i]
        if p.ext[EXT_TRANSPORT_CC]:
            continue                           # it estimates by itself, from our feedback
        videos += p.video
        for k in range(p.stream_count if p.video else 0):
            if p.streams[k].ssrc and count < RTCP_REMB_MAX_SSRCS:
                ssrcs[count] = p.streams[k].ssrc
                count += 1
    if count == 0:
        return size
    return size + rtcp_write_remb(s.compose + size, sizeof(s.compose) - size, t.rtcp_ssrc, <u64>videos * REMB_BPS_PER_VIDEO, ssrcs, <u8>count)


cdef int _write_sender_report(ShardState* s, const Consumer* c, int size, us_t now) noexcept nogil:
    """SR and SDES of one consumer behind what s.compose holds already, once its publisher has told its clock."""
    cdef const Stream* stream = &c.producer.streams[c.stream]
    cdef SenderInfo info
    if stream.stats.sr_arrival_us == 0 or c.send.packets == 0 or c.fresh:
        return size
    if c.pipe and size == 0:               # one sender for all, whose replay window is kept
        size = rtcp_write_rr(s.compose, sizeof(s.compose), c.transport.rtcp_ssrc, NULL, 0)
    send_sender_report(&c.send, &stream.stats.sr, stream.stats.sr_arrival_us, c.ts.offset, now, &info)
    size += rtcp_write_sr(s.compose + size, sizeof(s.compose) - size, &info, NULL, 0)
    return size + rtcp_write_sdes(s.compose + size, sizeof(s.compose) - size, c.ssrc, <const u8*>c.cname, c.cname_size)


cdef bint _send_sender_reports(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """Goes on with the consumer where the output queue was full last time. Whether all were reported."""
    cdef int size = 0
    while t.reported < t.consumer_count and s.out.count < OUT_PACKETS - 1:
        if not t.consumers[t.reported].paused:
            size = _write_sender_report(s, t.consumers[t.reported], size, now)
        if size > REPORT_CHUNK:
            feedback_send(s, t, size)
            size = 0
        t.reported += 1
    feedback_send(s, t, size)
    return t.reported >= t.consumer_count


cdef us_t reports_tick(ShardState* s, Transport* t, us_t now) noexcept nogil:
    if now < t.rtcp_us or t.state != TRANSPORT_CONNECTED:
        return t.rtcp_us
    if t.producer_count and t.reported == 0:
        _send_receiver_reports(s, t, now)
    if not _send_sender_reports(s, t, now):
        return now                             # the rest in the next turn
    t.reported = 0
    t.rtcp_us = now + REPORT_US * 3 // 4 + csprng_u32(&s.random) % (REPORT_US // 2)
    return t.rtcp_us
