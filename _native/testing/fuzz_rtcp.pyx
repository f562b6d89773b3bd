"""Fuzz targets of RTCP compounds and transport-wide feedback; the invariants are those of ``fuzz_wire``."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp
from simplestchat._native.core.bytes cimport put16
from simplestchat._native.core.types cimport E_LIMIT, E_NOMEM, E_SPACE, OK, u8, u16, u32, u64, us_t
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_run
from simplestchat._native.wire.rtcp cimport (
    RTCP_NACK_MAX_ITEMS, RTCP_RR, RTCP_RTPFB, RTCP_SR, RTPFB_TWCC, NackItem, Remb, ReportBlock, RtcpView, SenderInfo, rtcp_next,
    rtcp_read_bye, rtcp_read_cname, rtcp_read_fir, rtcp_read_nack, rtcp_read_remb, rtcp_read_report, rtcp_read_sr, rtcp_write_bye,
    rtcp_write_fir, rtcp_write_nack, rtcp_write_remb, rtcp_write_rr, rtcp_write_sdes, rtcp_write_sr,
)
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TWCC_REFERENCE_US, TwccPacket, TwccView, twcc_read, twcc_write

FUZZ_TARGETS = ("rtcp", "twcc")


# A written packet walks back as exactly one of the same type; its view is left in *view.
cdef int _walk_back(const u8* out, size_t cap, int size, u8 type, RtcpView* view) noexcept nogil:
    cdef size_t pos = 0
    if <size_t> size > cap or rtcp_next(out, size, &pos, view) != 1 or pos != <size_t> size or view.type != type:
        return FUZZ_BROKEN
    return OK


cdef int _reports(const u8* data, const RtcpView* view, u8* out, size_t cap) noexcept nogil:
    cdef ReportBlock blocks[31]
    cdef ReportBlock block
    cdef SenderInfo info, same
    cdef RtcpView copy
    cdef u8 i
    cdef int size
    for i in range(view.count):
        if rtcp_read_report(data, view, i, &blocks[i]) < 0:
            return FUZZ_BROKEN
    if rtcp_read_report(data, view, view.count, &block) != -1:
        return FUZZ_BROKEN
    if view.type == RTCP_SR:
        if rtcp_read_sr(data, view, &info) < 0:
            return FUZZ_BROKEN
        size = rtcp_write_sr(out, cap, &info, blocks, view.count)
    else:
        size = rtcp_write_rr(out, cap, view.sender_ssrc, blocks, view.count)
    if size < 0:
        return size
    if _walk_back(out, cap, size, view.type, &copy) < 0 or copy.count != view.count or copy.sender_ssrc != view.sender_ssrc:
        return FUZZ_BROKEN
    if view.type == RTCP_SR and (rtcp_read_sr(out, &copy, &same) < 0 or same.ntp != info.ntp or same.octets != info.octets):
        return FUZZ_BROKEN
    # Blocks have no gaps of their own on the wire: a whole round trip gives the same bytes.
    return OK if memcmp(out + 4, data + view.off + 4, size - 4) == 0 else FUZZ_BROKEN


cdef int _nack(const u8* data, const RtcpView* view, u8* out, size_t cap) noexcept nogil:
    cdef NackItem items[RTCP_NACK_MAX_ITEMS]
    cdef int count = rtcp_read_nack(data, view, items, RTCP_NACK_MAX_ITEMS), size
    cdef RtcpView copy
    if count < 0:
        return count
    if count < 1 or count > RTCP_NACK_MAX_ITEMS:
        return FUZZ_BROKEN
    size = rtcp_write_nack(out, cap, view.sender_ssrc, view.media_ssrc, items, count)
    if size < 0:
        return size
    if _walk_back(out, cap, size, view.type, &copy) < 0 or memcmp(out + 4, data + view.off + 4, size - 4) != 0:
        return FUZZ_BROKEN
    return OK


cdef int _fir(const u8* data, const RtcpView* view, u8* out, size_t cap) noexcept nogil:
    cdef u32 ssrcs[4]
    cdef u8 seqs[4]
    cdef u32 ssrc
    cdef u8 seq
    cdef RtcpView copy
    cdef int count = rtcp_read_fir(data, view, ssrcs, seqs, 4), size
    if count < 0:
        return count
    size = rtcp_write_fir(out, cap, view.sender_ssrc, ssrcs[0], seqs[0])
    if size < 0:
        return size
    if _walk_back(out, cap, size, view.type, &copy) < 0 or rtcp_read_fir(out, &copy, &ssrc, &seq, 1) != 1:
        return FUZZ_BROKEN
    return OK if ssrc == ssrcs[0] and seq == seqs[0] else FUZZ_BROKEN


cdef int _remb(const u8* data, const RtcpView* view, u8* out, size_t cap) noexcept nogil:
    cdef Remb remb, same
    cdef RtcpView copy
    cdef int size = rtcp_read_remb(data, view, &remb)
    if size < 0:
        return size
    size = rtcp_write_remb(out, cap, view.sender_ssrc, remb.bitrate_bps, remb.ssrcs, remb.ssrc_count)
    if size < 0:
        return size
    if _walk_back(out, cap, size, view.type, &copy) < 0 or rtcp_read_remb(out, &copy, &same) < 0:
        return FUZZ_BROKEN
    # Eighteen bits of mantissa lose nothing that was read from eighteen bits, but for the saturated value.
    if same.bitrate_bps != remb.bitrate_bps and remb.bitrate_bps != 0xFFFFFFFFFFFFFFFFU:
        return FUZZ_BROKEN
    return OK if memcmp(same.ssrcs, remb.ssrcs, 4 * <size_t> remb.ssrc_count) == 0 else FUZZ_BROKEN


cdef int _names(const u8* data, const RtcpView* view, u8* out, size_t cap) noexcept nogil:
    cdef u32 sources[31]
    cdef u16 off = 0, at = 0
    cdef RtcpView copy
    cdef int count = rtcp_read_bye(data, view, sources, 31), size
    if count > 0:
        size = rtcp_write_bye(out, cap, sources[0])
        if size >= 0 and (_walk_back(out, cap, size, view.type, &copy) < 0 or copy.sender_ssrc != view.sender_ssrc):
            return FUZZ_BROKEN
    size = rtcp_read_cname(data, view, &off)
    if size <= 0:
        return OK
    if off < view.off or off + size > view.off + view.size:
        return FUZZ_BROKEN
    count = rtcp_write_sdes(out, cap, view.sender_ssrc, data + off, <u8> size)
    if count < 0:
        return count
    if _walk_back(out, cap, count, view.type, &copy) < 0 or rtcp_read_cname(out, &copy, &at) != size:
        return FUZZ_BROKEN
    return OK if memcmp(out + at, data + off, size) == 0 else FUZZ_BROKEN


cdef int _packet(const u8* data, const RtcpView* view, u8* out, size_t cap) noexcept nogil:
    if view.type == RTCP_SR or view.type == RTCP_RR:
        return _reports(data, view, out, cap)
    if _nack(data, view, out, cap) == FUZZ_BROKEN or _fir(data, view, out, cap) == FUZZ_BROKEN:
        return FUZZ_BROKEN
    if _remb(data, view, out, cap) == FUZZ_BROKEN or _names(data, view, out, cap) == FUZZ_BROKEN:
        return FUZZ_BROKEN
    return OK


cdef int _rtcp(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef RtcpView view
    cdef size_t pos = 0, before = 0, cap
    cdef u8* out
    cdef int more, status
    while True:
        more = rtcp_next(data, size, &pos, &view)
        if more <= 0:
            return more
        if pos <= before or pos > size or <size_t> view.off + view.size > pos or view.off != before:
            return FUZZ_BROKEN
        before = pos
        cap = <size_t> view.size + fuzz_below(&random, 16)
        if fuzz_below(&random, 4) == 0:
            cap = fuzz_below(&random, cap)
        out = <u8*> malloc(cap)
        if out is NULL:
            return E_NOMEM
        status = _packet(data, &view, out, cap)
        free(out)
        if status == FUZZ_BROKEN:
            return FUZZ_BROKEN


# What twcc_write makes of a feedback that was read tells the same arrivals, but for whole turns of the reference time.
cdef int _twcc_again(const RtcpView* view, const TwccView* feedback, const TwccPacket* packets, u8* out, size_t cap) noexcept nogil:
    cdef TwccPacket again[TWCC_MAX_PACKETS]
    cdef TwccView copy_feedback
    cdef RtcpView copy
    cdef u16 i
    cdef us_t shift = 0
    cdef bint known = False
    cdef int size = twcc_write(out, cap, view.sender_ssrc, view.media_ssrc, feedback.feedback_count, feedback.base_seq, packets,
                               feedback.count)
    if size == E_SPACE or size == E_LIMIT:
        return size
    if size < 0 or _walk_back(out, cap, size, RTCP_RTPFB, &copy) < 0:
        return FUZZ_BROKEN
    if twcc_read(out, &copy, &copy_feedback, again, feedback.count) < 0 or copy_feedback.count != feedback.count:
        return FUZZ_BROKEN
    for i in range(feedback.count):
        if again[i].received != packets[i].received:
            return FUZZ_BROKEN
        if not again[i].received:
            continue
        if not known:
            shift = packets[i].arrival_us - again[i].arrival_us
            known = True
        if packets[i].arrival_us - again[i].arrival_us != shift:
            return FUZZ_BROKEN
    return OK if shift % (<us_t> TWCC_REFERENCE_US << 24) == 0 else FUZZ_BROKEN


cdef int _twcc(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef RtcpView view
    cdef TwccView feedback
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    cdef size_t pos = 0, cap, i
    cdef u8* out
    cdef bint any_received = False
    cdef int status
    if size >= 20 and fuzz_below(&random, 8):
        data[0] = 0x80 | RTPFB_TWCC
        data[1] = RTCP_RTPFB
        put16(data + 2, <u16> (size // 4 - 1))
    status = rtcp_next(data, size, &pos, &view)
    if status != 1:
        return -1
    status = twcc_read(data, &view, &feedback, packets, fuzz_below(&random, 2 * TWCC_MAX_PACKETS))
    if status < 0:
        return status
    for i in range(feedback.count):
        any_received = any_received or packets[i].received
    # At worst every packet needs a large delta and its share of a chunk.
    cap = 24 + 3 * <size_t> feedback.count
    if fuzz_below(&random, 4) == 0:
        cap = fuzz_below(&random, cap)
    out = <u8*> malloc(cap)
    if out is NULL:
        return E_NOMEM
    status = _twcc_again(&view, &feedback, packets, out, cap)
    free(out)
    if status == E_LIMIT and any_received:       # whatever was read can be written
        return FUZZ_BROKEN
    return status


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    if target == "rtcp":
        function = _rtcp
    elif target == "twcc":
        function = _twcc
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    return fuzz_run(function, NULL, target, seed, rounds, corpus)
