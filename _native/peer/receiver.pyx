"""Subscribed tracks of synthetic users; see receiver.pxd for the contract."""

from libc.stdlib cimport calloc, free, malloc
from simplestchat._native.core.bytes cimport get16
from simplestchat._native.core.histogram cimport Histogram, histogram_add
from simplestchat._native.core.seq cimport seq_unwrap
from simplestchat._native.core.types cimport US_PER_S, i64, u8, u16, u32, u64, us_t
from simplestchat._native.peer.frames cimport (
    FRAMES_PLACES, FramePlace, Frames, frames_end, frames_expire, frames_init, frames_layers, frames_part, frames_restart,
)
from simplestchat._native.peer.ledger cimport LEDGER_SETTLE_US, Ledger, ledger_delivered
from simplestchat._native.peer.payload cimport PAYLOAD_AV1, PAYLOAD_OPUS, PAYLOAD_VP8, PayloadFrame, payload_agrees, payload_read
from simplestchat._native.peer.pictures cimport Pictures, pictures_expire, pictures_new, pictures_part
from simplestchat._native.peer.runs cimport RUN_CLOSED, run_begin, run_of
from simplestchat._native.peer.settings cimport ReceiverSettings
from simplestchat._native.peer.stamp cimport STAMP_FORBIDDEN, STAMP_KEYFRAME, Stamp, stamp_read
from simplestchat._native.peer.tally cimport (
    TALLY_DUPLICATE, TALLY_FILLED, TALLY_NEXT, TALLY_TOO_LATE, Tally, TallyLosses, tally_close, tally_expect, tally_packet, tally_settle,
)
from simplestchat._native.stream.nack cimport NackList, nack_collect, nack_init, nack_received, nack_repaired
from simplestchat._native.stream.recv cimport RecvStats, recv_init, recv_packet, recv_report, recv_sender_report
from simplestchat._native.wire.rtcp cimport NackItem, ReportBlock, SenderInfo
from simplestchat._native.wire.rtp cimport RtpView, rtp_payload_size

cdef enum:
    _NEVER = 0x7FFFFFFFFFFFFFFF
    _VIDEO_WINDOW = 4096         # packets: 8 s of 6 Mbit/s
    _AUDIO_WINDOW = 512          # 10 s
    _FIRST_FRAME_US = 500000     # no frame so long: ask for a keyframe
    _STALL_US = 1000000          # packets come, but nothing was shown for so long
    _BLOCKED_US = 200000         # a whole frame waits for one that nobody will send again
    _REQUEST_GAP_US = 1000000
    _NACK_RTT_US = 50000         # until a repair told the round trip
    _RESTART = 1024              # so far back no packet can come: the numbering began anew
    _OSN = 2                     # original sequence number (RFC 4588 section 4)
    _FRAME_GRACE_US = 2 * LEDGER_SETTLE_US
    _FAR = 0x4000000000000000

cdef Receiver* receiver_new(const ReceiverSettings* settings, us_t now) noexcept nogil:
    cdef u64 window = _VIDEO_WINDOW if settings.video else _AUDIO_WINDOW
    cdef size_t places = FRAMES_PLACES * sizeof(FramePlace) if settings.video else 0
    cdef size_t size = sizeof(Receiver) + RECEIVER_RUNS * (window // 8) + places
    cdef Receiver* r
    cdef u64* bits
    cdef int i
    if settings.clock_rate == 0 or not (PAYLOAD_VP8 <= settings.codec <= PAYLOAD_AV1 if settings.video else settings.codec == PAYLOAD_OPUS):
        return NULL
    r = <Receiver*> calloc(1, size)
    if r is NULL:
        return NULL
    r.settings = settings[0]
    r.who = <u64> settings.visit << 32 | settings.user
    recv_init(&r.stats, settings.ssrc, settings.clock_rate)
    bits = <u64*> (r + 1)
    for i in range(RECEIVER_RUNS):
        r.tallies[i].bits = bits + i * (window // 64)
        r.tallies[i].mask = window - 1
    frames_init(&r.frames, <FramePlace*> (bits + RECEIVER_RUNS * (window // 64)))
    r.since_us = now
    r.asked_us = <us_t> _NEVER
    return r


cdef void receiver_free(Receiver* r) noexcept nogil:
    if r is not NULL:
        free(r.nack)
        free(r.pictures)
        free(r)


cdef size_t receiver_footprint(const Receiver* r) noexcept nogil:
    cdef size_t places = FRAMES_PLACES * sizeof(FramePlace) if r.settings.video else 0
    cdef size_t nack = sizeof(NackList) if r.nack is not NULL else 0
    cdef size_t pictures = sizeof(Pictures) if r.pictures is not NULL else 0
    return sizeof(Receiver) + RECEIVER_RUNS * (r.tallies[0].mask + 1) // 8 + places + nack + pictures


# Is packet `index` missing and asked for? Without RTX, that makes its coming a repair.
cdef bint _was_asked(const Receiver* r, u64 index) noexcept nogil:
    cdef int i
    if r.settings.rtx_ssrc or r.nack is NULL:
        return False
    for i in range(r.nack.count):
        if r.nack.entries[i].index == index:
            return r.nack.entries[i].tries > 0
    return False


# Keeps the list of missing sequence numbers; was this packet asked for again?
cdef bint _sequence(Receiver* r, u64 index, us_t now) noexcept nogil:
    cdef bint asked = False
    cdef bint gap = r.sequenced and index > r.highest + 1
    if r.ended or not (r.settings.video or r.settings.rtx_ssrc):
        return False
    if r.sequenced and index + _RESTART < r.highest:
        r.sequenced = gap = False
        if r.nack is not NULL:
            nack_init(r.nack)
    if gap and r.nack is NULL:
        r.nack = <NackList*> malloc(sizeof(NackList))
        if r.nack:
            nack_init(r.nack)
            nack_received(r.nack, r.highest, now)
    if r.nack is not NULL:
        asked = r.sequenced and index < r.highest and _was_asked(r, index)
        nack_received(r.nack, index, now)
    if not r.sequenced or index > r.highest:
        r.highest = index
    r.sequenced = 1
    return asked


cdef inline bint _counting(const Receiver* r) noexcept nogil:
    return r.tallies[r.last].used and r.tallies[r.last].used != RUN_CLOSED


cdef void _measure(Receiver* r, const Stamp* stamp, bint in_order, us_t arrival, Measures* measures) noexcept nogil:
    cdef us_t transit = arrival - stamp.sent_us
    if transit > 0:                  # clocks of two machines may disagree by a little
        r.totals.latency_us += transit
    histogram_add(&measures.latency_video if r.settings.video else &measures.latency_audio, transit)
    if not in_order:
        return
    if r.has_transit:
        histogram_add(&measures.jitter, transit - r.transit_us if transit > r.transit_us else r.transit_us - transit)
    r.transit_us = transit
    r.has_transit = 1


cdef void _shown(Receiver* r, const Stamp* stamp, bint marker, bint current, us_t arrival, Measures* measures) noexcept nogil:
    """A part of a video's frame."""
    if not stamp.layered:
        frames_part(&r.frames, stamp, current, arrival, &measures.frame_latency)
        return
    if r.pictures is NULL:
        r.pictures = pictures_new()
    if r.pictures is not NULL:
        r.spatial_count = stamp.spatial_count
        pictures_part(r.pictures, &r.frames, stamp, marker, arrival, &measures.frame_latency)


cdef void _deliver(Receiver* r, const Stamp* stamp, int verdict, bint repair, us_t arrival, Measures* measures) noexcept nogil:
    cdef ReceiverTotals* totals = &r.totals
    totals.delivered += 1
    if repair:
        totals.repaired += 1
        if verdict != TALLY_FILLED:
            totals.missed += 1       # nobody knew yet that it was
    elif verdict != TALLY_NEXT:
        totals.reordered += 1
        if verdict == TALLY_FILLED:
            totals.missed -= 1       # it was only late
    _measure(r, stamp, verdict == TALLY_NEXT and not repair, arrival, measures)
    if not r.settings.video:
        totals.frames += 1
        if totals.first_frame_us == 0:
            totals.first_frame_us = arrival


# The run of a packet that is counted by its stamp. What the server left out before it was nobody's loss.
cdef Tally* _stamped_run(Receiver* r, const Stamp* stamp, u64 index, const Ledger* ledger) noexcept nogil:
    cdef Tally* t = run_of(r, stamp, ledger)
    cdef Stamp begins
    cdef u64 skipped, missing
    if t is NULL or t != &r.tallies[r.last] or stamp.counter < t.next or index <= r.wire:
        return t
    skipped = stamp.counter - t.next
    missing = index - r.wire - 1
    if skipped <= missing or missing >= _RESTART or (r.settings.video and not stamp.flags & STAMP_KEYFRAME):
        return t
    r.totals.withheld += skipped - missing
    begins = stamp[0]
    begins.counter = <u32> (stamp.counter - missing)     # those whose numbers are missing, too, may still come
    return run_begin(r, &begins, ledger)


# The run of a packet of a layered stream, which is counted by its number on the wire: the server leaves packets out, but no numbers.
cdef Tally* _wire_run(Receiver* r, const Stamp* stamp, u32 number) noexcept nogil:
    cdef Tally* t = &r.tallies[r.last]
    cdef Stamp begins
    if t.used and t.used != RUN_CLOSED and number + _RESTART >= t.first and number < t.next + <u64> 2 * t.mask:
        return t
    if not stamp.flags & STAMP_KEYFRAME:
        return NULL
    begins = stamp[0]
    begins.counter = number
    return run_begin(r, &begins, NULL)


cdef void _count(Receiver* r, const Stamp* stamp, u64 index, bint marker, bint repair, us_t arrival, const Ledger* ledger,
                 Measures* measures) noexcept nogil:
    cdef u32 counter = <u32> index if stamp.layered else stamp.counter
    cdef Tally* t = _wire_run(r, stamp, counter) if stamp.layered else _stamped_run(r, stamp, index, ledger)
    cdef u64 missed
    cdef int verdict
    if t is NULL:
        return
    verdict = tally_packet(t, counter, arrival, NULL if stamp.layered else ledger, &missed, &r.losses)
    r.totals.missed += missed
    if verdict == TALLY_NEXT and t == &r.tallies[r.last]:
        r.wire = index
    if stamp.frame > t.last_frame:
        t.last_frame = stamp.frame
    if verdict == TALLY_DUPLICATE:
        # Over RTX a server repeats what came to find out what the path carries.
        if repair and r.settings.rtx_ssrc:
            r.totals.repeated += 1
        else:
            r.totals.duplicate += 1
    elif verdict != TALLY_TOO_LATE:
        _deliver(r, stamp, verdict, repair, arrival, measures)
        if r.settings.video:
            _shown(r, stamp, marker, t == &r.tallies[r.last] and t.used != RUN_CLOSED, arrival, measures)


cdef void _count_padding(Receiver* r, u64 index, us_t arrival) noexcept nogil:
    """A packet without payload is nothing that was missing."""
    cdef u64 missed
    if r.pictures is not NULL and _counting(r):
        if tally_packet(&r.tallies[r.last], <u32> index, arrival, NULL, &missed, &r.losses) == TALLY_FILLED:
            r.totals.missed -= 1
        r.totals.missed += missed


# A payload from its first byte on, of the packet with this index.
cdef void _payload(Receiver* r, const u8* data, u32 size, u64 index, bint marker, bint repair, us_t arrival, Ledger* ledger,
                   Measures* measures) noexcept nogil:
    cdef PayloadFrame frame
    cdef Stamp stamp
    cdef int offset = payload_read(r.settings.codec, data, size, &frame)
    if offset < 0 or stamp_read(data + offset, size - offset, &stamp) < 0 or not payload_agrees(r.settings.codec, &frame, &stamp):
        r.totals.corrupt += 1
        return
    if stamp.user != r.settings.user or stamp.track != r.settings.track or stamp.flags & STAMP_FORBIDDEN:
        r.totals.misdelivered += 1
        return
    if ledger is not NULL and not stamp.layered:
        ledger_delivered(ledger, r.who, stamp.track, stamp.layer, stamp.counter)
    if r.ended and stamp.sent_us > r.ended_us:
        r.totals.misdelivered += 1
        return
    # 0 means that there is none, so an arrival at the clock's origin counts as one microsecond later.
    arrival = arrival if arrival else 1
    r.totals.last_packet_us = arrival
    if r.totals.first_packet_us == 0:
        r.totals.first_packet_us = arrival
    if frame.width:
        r.width = frame.width
        r.height = frame.height
    _count(r, &stamp, index, marker, repair, arrival, ledger, measures)


cdef void receiver_packet(Receiver* r, const u8* data, u32 size, const RtpView* view, u64 index, us_t arrival,
                          Ledger* ledger, Measures* measures) noexcept nogil:
    cdef int payload = rtp_payload_size(data, size, view)
    cdef bint asked
    r.totals.packets += 1
    if payload < 0:
        r.totals.corrupt += 1
        return
    r.totals.bytes += payload
    if r.stats.begun and index + _RESTART < r.stats.highest_index:
        recv_init(&r.stats, r.settings.ssrc, r.settings.clock_rate)
    recv_packet(&r.stats, index, view.timestamp, payload, arrival)
    asked = _sequence(r, index, arrival)
    if payload == 0:
        _count_padding(r, index, arrival)
        return
    if view.payload_type != r.settings.payload_type:
        r.totals.corrupt += 1
        return
    _payload(r, data + view.header_size, payload, index, view.marker, asked, arrival, ledger, measures)


cdef void receiver_repair(Receiver* r, const u8* data, u32 size, const RtpView* view, us_t arrival,
                          Ledger* ledger, Measures* measures) noexcept nogil:
    cdef int payload = rtp_payload_size(data, size, view)
    cdef const u8* body = data + view.header_size
    cdef i64 index = 0
    r.totals.packets += 1
    if payload == 0:
        return
    if payload < _OSN or view.payload_type != r.settings.rtx_payload_type:
        r.totals.corrupt += 1
        return
    r.totals.bytes += payload
    if r.stats.begun:
        index = max(<i64> 0, seq_unwrap(r.stats.highest_index, get16(body)))
    if r.nack is not NULL and r.sequenced and not r.ended and index <= <i64> r.highest:
        nack_repaired(r.nack, index, arrival)
        nack_received(r.nack, index, arrival)
    _payload(r, body + _OSN, payload - _OSN, <u64> index, view.marker, True, arrival, ledger, measures)


cdef void receiver_sender_report(Receiver* r, const SenderInfo* info, us_t now) noexcept nogil:
    recv_sender_report(&r.stats, info, now)


# When a keyframe should be asked for.
cdef us_t _keyframe_due(const Receiver* r) noexcept nogil:
    cdef us_t due = <us_t> _NEVER
    if not r.settings.video or r.ended:
        return due
    if r.frames.shown < 0:
        due = r.since_us + _FIRST_FRAME_US
    elif r.frames.blocked_us:
        due = r.frames.blocked_us + (_STALL_US if r.nack is not NULL and r.nack.count else _BLOCKED_US)
    elif r.totals.last_packet_us > r.frames.shown_us + _STALL_US // 2:
        due = r.frames.shown_us + _STALL_US
    if r.asked_us != <us_t> _NEVER and due < r.asked_us + _REQUEST_GAP_US:
        due = r.asked_us + _REQUEST_GAP_US
    return due


cdef u16 receiver_layers(const Receiver* r) noexcept nogil:
    return frames_layers(&r.frames)


cdef us_t receiver_deadline(const Receiver* r) noexcept nogil:
    cdef us_t due = _keyframe_due(r)
    if r.nack is not NULL and r.nack.deadline < due:
        due = r.nack.deadline
    return due


cdef int receiver_nacks(Receiver* r, us_t now, NackItem* out, int cap) noexcept nogil:
    cdef us_t rtt = _NACK_RTT_US
    cdef u32 given_up
    cdef u16 mask
    cdef int count, i
    if r.nack is NULL or now < r.nack.deadline:
        return 0
    if r.nack.rtt_us:
        rtt = r.nack.rtt_us + r.nack.rtt_us // 4
    count = nack_collect(r.nack, now, rtt, out, cap, &given_up)
    for i in range(count):
        r.totals.nacks += 1
        mask = out[i].blp
        while mask:
            mask &= mask - 1
            r.totals.nacks += 1
    return count


cdef bint receiver_wants_keyframe(Receiver* r, us_t now) noexcept nogil:
    if _keyframe_due(r) > now:
        return False
    r.asked_us = now
    r.totals.keyframe_requests += 1
    return True


cdef void receiver_report(Receiver* r, us_t now, ReportBlock* out) noexcept nogil:
    recv_report(&r.stats, out, now)


cdef inline void _expire(Receiver* r, us_t due_us) noexcept nogil:
    frames_expire(&r.frames, due_us)
    if r.pictures is not NULL:
        pictures_expire(r.pictures, &r.frames, due_us)


cdef void receiver_settle(Receiver* r, us_t now, const Ledger* ledger) noexcept nogil:
    cdef int i
    for i in range(RECEIVER_RUNS):
        if r.tallies[i].used:
            tally_settle(&r.tallies[i], now, ledger, &r.losses)
    if r.settings.video:
        _expire(r, now - _FRAME_GRACE_US)


cdef void receiver_end(Receiver* r, us_t at, bint has_expected, u32 expected) noexcept nogil:
    if r.ended:
        return
    r.ended = 1
    r.ended_us = at
    r.sequenced = 0
    r.certain = has_expected
    if r.nack:
        nack_init(r.nack)
    if r.settings.video:
        frames_end(&r.frames)
    if has_expected and _counting(r) and r.pictures is NULL:
        r.totals.missed += tally_expect(&r.tallies[r.last], expected, at, NULL, &r.losses)


cdef void receiver_close(Receiver* r, us_t now, const Ledger* ledger) noexcept nogil:
    cdef int i
    now = <us_t> _FAR if r.certain else now - RECEIVER_FLIGHT_US
    for i in range(RECEIVER_RUNS):
        if r.tallies[i].used:
            r.totals.missed -= tally_close(&r.tallies[i], now + LEDGER_SETTLE_US, ledger, &r.losses)
    if r.settings.video:
        _expire(r, now)


cdef void receiver_resume(Receiver* r, us_t now) noexcept nogil:
    cdef int i
    if not r.ended:
        return
    for i in range(RECEIVER_RUNS):
        if r.tallies[i].used:
            r.tallies[i].used = RUN_CLOSED
    r.ended = r.certain = 0
    r.since_us = now
    r.has_transit = 0
    r.totals.first_packet_us = r.totals.first_frame_us = 0
    if r.settings.video:
        frames_restart(&r.frames)
        if r.pictures is not NULL:
            pictures_expire(r.pictures, &r.frames, <us_t> _NEVER)


cdef void receiver_totals(const Receiver* r, ReceiverTotals* out) noexcept nogil:
    out[0] = r.totals
    out.lost = r.losses.lost
    out.lost_uplink = r.losses.lost_uplink
    out.jitter_us = <u32> (<u64> (r.stats.jitter_q4 >> 4) * US_PER_S // r.stats.clock_rate)
    if r.settings.video:
        out.frames = r.frames.count
        out.frames_broken = r.frames.broken
        out.keyframes = r.frames.keyframes
        out.freezes = r.frames.freezes
        out.freeze_us = r.frames.freeze_us
        out.first_frame_us = r.frames.first_us
        out.layers = frames_layers(&r.frames)
        if out.layers != 0xFFFF:
            # Spatial layers of one stream halve its sides; encodings have sizes of their own.
            out.width = r.width >> max(0, r.spatial_count - 1 - r.frames.spatial)
            out.height = r.height >> max(0, r.spatial_count - 1 - r.frames.spatial)
    if _counting(r):
        out.highest_counter = <u32> (r.tallies[r.last].next - 1)


cdef const ReceiverSettings* receiver_settings(const Receiver* r) noexcept nogil:
    return &r.settings
