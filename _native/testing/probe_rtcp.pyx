"""Doors to the RTCP and transport-wide feedback parsers and writers (see ``probe_wire`` for the manner)."""

from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport u8, u16, u32, u64
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room
from simplestchat._native.wire.rtcp cimport (
    PSFB_AFB, PSFB_FIR, RTCP_BYE, RTCP_NACK_MAX_ITEMS, RTCP_PSFB, RTCP_RR, RTCP_RTPFB, RTCP_SDES, RTCP_SR, RTPFB_NACK, RTPFB_TWCC,
    NackItem, Remb, ReportBlock, RtcpView, SenderInfo, rtcp_next, rtcp_read_bye, rtcp_read_cname, rtcp_read_fir, rtcp_read_nack,
    rtcp_read_remb, rtcp_read_report, rtcp_read_sr, rtcp_write_bye, rtcp_write_fir, rtcp_write_nack, rtcp_write_pli,
    rtcp_write_remb, rtcp_write_rr, rtcp_write_sdes, rtcp_write_sr,
)
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TwccPacket, TwccView, twcc_read, twcc_write

cdef enum:
    _ROOM = 1500


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


cdef bytes _taken(Exact room, int status, str what):
    return bytes(room.data[:_check(status, what)])


cdef list _reports(const u8* data, const RtcpView* view):
    cdef ReportBlock block
    blocks = []
    for index in range(view.count):
        _check(rtcp_read_report(data, view, index, &block), "RTCP report block")
        blocks.append(dict(block))
    return blocks


cdef dict _twcc(const u8* data, const RtcpView* view):
    cdef TwccView feedback
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    _check(twcc_read(data, view, &feedback, packets, TWCC_MAX_PACKETS), "transport-wide feedback")
    arrivals = [packets[i].arrival_us if packets[i].received else None for i in range(feedback.count)]
    return {**feedback, "arrivals": arrivals}


cdef dict _feedback(const u8* data, const RtcpView* view):
    cdef NackItem items[RTCP_NACK_MAX_ITEMS]
    cdef u32 ssrcs[RTCP_NACK_MAX_ITEMS]
    cdef u8 seqs[RTCP_NACK_MAX_ITEMS]
    cdef Remb remb
    cdef int count
    if view.type == RTCP_RTPFB and view.count == RTPFB_NACK:
        count = _check(rtcp_read_nack(data, view, items, RTCP_NACK_MAX_ITEMS), "NACK")
        return {"nack": [(items[i].pid, items[i].blp) for i in range(count)]}
    if view.type == RTCP_RTPFB and view.count == RTPFB_TWCC:
        return _twcc(data, view)
    if view.type == RTCP_PSFB and view.count == PSFB_FIR:
        count = _check(rtcp_read_fir(data, view, ssrcs, seqs, RTCP_NACK_MAX_ITEMS), "FIR")
        return {"fir": [(ssrcs[i], seqs[i]) for i in range(count)]}
    if view.type == RTCP_PSFB and view.count == PSFB_AFB:
        _check(rtcp_read_remb(data, view, &remb), "REMB")
        return {"bitrate_bps": remb.bitrate_bps, "ssrcs": [remb.ssrcs[i] for i in range(remb.ssrc_count)]}
    return {}


cdef dict _body(const u8* data, const RtcpView* view):
    cdef SenderInfo info
    cdef u32 ssrcs[31]
    cdef u16 off = 0
    if view.type == RTCP_SR:
        _check(rtcp_read_sr(data, view, &info), "sender report")
        return {"info": dict(info), "reports": _reports(data, view)}
    if view.type == RTCP_RR:
        return {"reports": _reports(data, view)}
    if view.type == RTCP_SDES:
        size = _check(rtcp_read_cname(data, view, &off), "source description")
        return {"cname": bytes(data[off:off + size])}
    if view.type == RTCP_BYE:
        count = _check(rtcp_read_bye(data, view, ssrcs, 31), "BYE")
        return {"ssrcs": [ssrcs[i] for i in range(count)]}
    return _feedback(data, view)


def rtcp_parse(bytes data):
    """Parse a compound: one dict a packet, with the keys of RtcpView and those of its body."""
    cdef Exact copy = exact_copy(data)
    cdef RtcpView view
    cdef size_t pos = 0
    packets = []
    while _check(rtcp_next(copy.data, copy.size, &pos, &view), "RTCP packet"):
        packets.append({**view, **_body(copy.data, &view)})
    return packets


def rtcp_walk(bytes data):
    """Walk a compound without reading bodies: one dict a packet, with the keys of RtcpView."""
    cdef Exact copy = exact_copy(data)
    cdef RtcpView view
    cdef size_t pos = 0
    packets = []
    while _check(rtcp_next(copy.data, copy.size, &pos, &view), "RTCP packet"):
        packets.append(dict(view))
    return packets


cdef Exact _blocks(reports):
    cdef Exact out = exact_room(len(reports) * sizeof(ReportBlock))
    cdef ReportBlock block
    for i, report in enumerate(reports):
        block = report
        (<ReportBlock*> out.data)[<size_t> i] = block
    return out


def rtcp_sr(info, reports=(), size_t cap=_ROOM):
    """Write a sender report."""
    cdef Exact out = exact_room(cap), blocks = _blocks(reports)
    cdef SenderInfo sender = info
    cdef u8 count = len(reports)
    return _taken(out, rtcp_write_sr(out.data, cap, &sender, <ReportBlock*> blocks.data, count), "sender report")


def rtcp_rr(u32 ssrc, reports=(), size_t cap=_ROOM):
    """Write a receiver report."""
    cdef Exact out = exact_room(cap), blocks = _blocks(reports)
    cdef u8 count = len(reports)
    return _taken(out, rtcp_write_rr(out.data, cap, ssrc, <ReportBlock*> blocks.data, count), "receiver report")


def rtcp_sdes(u32 ssrc, bytes cname, size_t cap=_ROOM):
    """Write a source description with a CNAME."""
    cdef Exact out = exact_room(cap), name = exact_copy(cname)
    cdef u8 size = len(cname)
    return _taken(out, rtcp_write_sdes(out.data, cap, ssrc, name.data, size), "source description")


def rtcp_bye(u32 ssrc, size_t cap=_ROOM):
    """Write a BYE."""
    cdef Exact out = exact_room(cap)
    return _taken(out, rtcp_write_bye(out.data, cap, ssrc), "BYE")


def rtcp_nack(u32 sender, u32 media, items, size_t cap=_ROOM):
    """Write a generic NACK; ``items`` are (pid, blp)."""
    cdef Exact out = exact_room(cap), room = exact_room(len(items) * sizeof(NackItem))
    cdef NackItem* into = <NackItem*> room.data
    for i, (pid, blp) in enumerate(items):
        into[<size_t> i].pid = pid
        into[<size_t> i].blp = blp
    return _taken(out, rtcp_write_nack(out.data, cap, sender, media, into, len(items)), "NACK")


def rtcp_pli(u32 sender, u32 media, size_t cap=_ROOM):
    """Write a picture loss indication."""
    cdef Exact out = exact_room(cap)
    return _taken(out, rtcp_write_pli(out.data, cap, sender, media), "PLI")


def rtcp_fir(u32 sender, u32 media, u8 seq, size_t cap=_ROOM):
    """Write a full intra request."""
    cdef Exact out = exact_room(cap)
    return _taken(out, rtcp_write_fir(out.data, cap, sender, media, seq), "FIR")


def rtcp_remb(u32 sender, u64 bitrate_bps, ssrcs, size_t cap=_ROOM):
    """Write a receiver estimated maximum bitrate."""
    cdef Exact out = exact_room(cap), room = exact_room(len(ssrcs) * sizeof(u32))
    cdef u8 count = len(ssrcs)
    for i, ssrc in enumerate(ssrcs):
        (<u32*> room.data)[<size_t> i] = ssrc
    return _taken(out, rtcp_write_remb(out.data, cap, sender, bitrate_bps, <u32*> room.data, count), "REMB")


def rtcp_twcc(u32 sender, u32 media, u8 feedback_count, u16 base_seq, arrivals, size_t cap=_ROOM):
    """Write transport-wide feedback; ``arrivals`` holds microseconds, or None for a packet that did not come."""
    cdef Exact out = exact_room(cap), room = exact_room(len(arrivals) * sizeof(TwccPacket))
    cdef TwccPacket* into = <TwccPacket*> room.data
    for i, arrival in enumerate(arrivals):
        into[<size_t> i].received = arrival is not None
        into[<size_t> i].arrival_us = 0 if arrival is None else arrival
    return _taken(out, twcc_write(out.data, cap, sender, media, feedback_count, base_seq, into, len(arrivals)),
                  "transport-wide feedback")
