"""Loops in C around the parsers and the extension writer, so that the cost of calling from Python does not count.

Each function works ``rounds`` times on one packet and returns how often it was accepted.
"""

from simplestchat._native.core.types cimport u8, u16
from simplestchat._native.testing.exact cimport Exact, exact_copy
from simplestchat._native.wire.av1dd cimport DdStructure, DdView, dd_facts, dd_init, dd_parse, dd_write_active
from simplestchat._native.wire.demux cimport KIND_UNKNOWN, demux
from simplestchat._native.wire.facts cimport FrameFacts, PictureIds
from simplestchat._native.wire.h264 cimport h264_facts, h264_keyframe
from simplestchat._native.wire.opus cimport OpusView, opus_parse
from simplestchat._native.wire.red cimport RedView, red_parse
from simplestchat._native.wire.rtcp cimport (
    RTCP_RR, RTCP_SR, RTPFB_NACK, RTPFB_TWCC, NackItem, ReportBlock, RtcpView, SenderInfo, rtcp_next, rtcp_read_nack,
    rtcp_read_report, rtcp_read_sr,
)
from simplestchat._native.wire.rtp cimport (
    RtpExt, RtpExtWriter, RtpView, rtp_ext_begin, rtp_ext_end, rtp_ext_find, rtp_ext_next, rtp_ext_put, rtp_parse, rtp_write_fixed,
)
from simplestchat._native.wire.stun cimport StunView, stun_parse
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TwccPacket, TwccView, twcc_read
from simplestchat._native.wire.vp8 cimport Vp8View, vp8_facts, vp8_ids, vp8_parse, vp8_rewrite
from simplestchat._native.wire.vp9 cimport Vp9View, vp9_facts, vp9_ids, vp9_keyframe, vp9_parse, vp9_rewrite


def bench_demux(bytes packet, size_t rounds):
    """Tell the protocol of a datagram."""
    cdef Exact copy = exact_copy(packet)
    cdef volatile u8* first = copy.data      # keeps the inlined function inside the loop
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            first[0] = first[0]
            accepted += 1 if demux(copy.data, copy.size) != KIND_UNKNOWN else 0
    return accepted


def bench_stun(bytes packet, size_t rounds):
    """Parse a STUN message, its FINGERPRINT checked."""
    cdef Exact copy = exact_copy(packet)
    cdef StunView view
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if stun_parse(copy.data, copy.size, &view) >= 0 else 0
    return accepted


def bench_rtp(bytes packet, size_t rounds):
    """Parse an RTP header."""
    cdef Exact copy = exact_copy(packet)
    cdef RtpView view
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if rtp_parse(copy.data, copy.size, &view) >= 0 else 0
    return accepted


def bench_rtp_extension(bytes packet, u8 id, size_t rounds):
    """Parse an RTP header and find one extension."""
    cdef Exact copy = exact_copy(packet)
    cdef RtpView view
    cdef RtpExt element
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if rtp_parse(copy.data, copy.size, &view) >= 0 and rtp_ext_find(copy.data, &view, id, &element) else 0
    return accepted


cdef int _rewrite(const u8* data, size_t size, u8* out, size_t cap) noexcept nogil:
    cdef RtpView view
    cdef RtpExtWriter writer
    cdef RtpExt element
    cdef u16 pos = 0
    if rtp_parse(data, size, &view) < 0:
        return -1
    if rtp_write_fixed(out, cap, 97, view.marker, view.sequence + 7, view.timestamp + 90, 1, False, True) < 0:
        return -1
    if rtp_ext_begin(&writer, out, cap, 12, False) < 0:
        return -1
    while rtp_ext_next(data, &view, &pos, &element):
        if rtp_ext_put(&writer, 15 - element.id, data + element.off, element.size) < 0:
            return -1
    return rtp_ext_end(&writer)


def bench_rtp_rewrite(bytes packet, size_t rounds):
    """Parse an RTP header and write it again with other ids, numbers and SSRC."""
    cdef Exact copy = exact_copy(packet)
    cdef u8 out[256]
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if _rewrite(copy.data, copy.size, out, sizeof(out)) >= 0 else 0
    return accepted


cdef int _read_compound(const u8* data, size_t size) noexcept nogil:
    cdef RtcpView view
    cdef SenderInfo info
    cdef ReportBlock block
    cdef NackItem items[64]
    cdef TwccView feedback
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    cdef size_t pos = 0
    cdef u8 index
    cdef int more
    while True:
        more = rtcp_next(data, size, &pos, &view)
        if more <= 0:
            return more
        if view.type == RTCP_SR:
            rtcp_read_sr(data, &view, &info)
        if view.type == RTCP_SR or view.type == RTCP_RR:
            for index in range(view.count):
                rtcp_read_report(data, &view, index, &block)
        elif view.count == RTPFB_NACK:
            rtcp_read_nack(data, &view, items, 64)
        elif view.count == RTPFB_TWCC:
            twcc_read(data, &view, &feedback, packets, TWCC_MAX_PACKETS)


def bench_rtcp(bytes packet, size_t rounds):
    """Walk an RTCP compound and read its reports, NACKs and transport-wide feedback."""
    cdef Exact copy = exact_copy(packet)
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if _read_compound(copy.data, copy.size) >= 0 else 0
    return accepted


def bench_vp8(bytes packet, size_t rounds):
    """Parse a VP8 payload descriptor."""
    cdef Exact copy = exact_copy(packet)
    cdef Vp8View view
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if vp8_parse(copy.data, copy.size, &view) >= 0 else 0
    return accepted


def bench_h264(bytes packet, size_t rounds):
    """Look for a keyframe's start in an H264 payload."""
    cdef Exact copy = exact_copy(packet)
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if h264_keyframe(copy.data, copy.size) >= 0 else 0
    return accepted


def bench_vp8_rewrite(bytes packet, size_t rounds):
    """Parse a VP8 payload descriptor, tell its facts, and write its numbers anew."""
    cdef Exact copy = exact_copy(packet)
    cdef Vp8View view
    cdef FrameFacts facts
    cdef PictureIds ids
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            if vp8_parse(copy.data, copy.size, &view) >= 0:
                vp8_facts(&view, 0, &facts)
                vp8_ids(&view, &ids)
                ids.picture_id += 1
                accepted += 1 if vp8_rewrite(copy.data, copy.size, &view, &ids) >= 0 else 0
    return accepted


def bench_vp9(bytes packet, size_t rounds):
    """Look for a keyframe's start in a VP9 payload."""
    cdef Exact copy = exact_copy(packet)
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if vp9_keyframe(copy.data, copy.size) >= 0 else 0
    return accepted


def bench_vp9_rewrite(bytes packet, size_t rounds):
    """Parse a VP9 payload descriptor, tell its facts, and write its numbers anew."""
    cdef Exact copy = exact_copy(packet)
    cdef Vp9View view
    cdef FrameFacts facts
    cdef PictureIds ids
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            if vp9_parse(copy.data, copy.size, &view) >= 0:
                vp9_facts(&view, 0, &facts)
                vp9_ids(&view, &ids)
                ids.picture_id += 1
                accepted += 1 if vp9_rewrite(copy.data, copy.size, &view, &ids) >= 0 else 0
    return accepted


def bench_dependency(bytes first, bytes packet, size_t rounds):
    """Read a dependency descriptor by the structure of the first one, and tell its facts."""
    cdef Exact begin = exact_copy(first), copy = exact_copy(packet)
    cdef DdStructure structure
    cdef DdView view
    cdef FrameFacts facts
    cdef size_t accepted = 0, i
    dd_init(&structure)
    dd_parse(begin.data, begin.size, &structure, &view)
    with nogil:
        for i in range(rounds):
            if dd_parse(copy.data, copy.size, &structure, &view) >= 0 and view.known:
                dd_facts(&view, 0, &facts)
                accepted += 1
    return accepted


def bench_dependency_rewrite(bytes first, bytes packet, size_t rounds):
    """Read a dependency descriptor and write it with another mask of active targets."""
    cdef Exact begin = exact_copy(first), copy = exact_copy(packet)
    cdef DdStructure structure
    cdef DdView view
    cdef u8 out[256]
    cdef size_t accepted = 0, i
    dd_init(&structure)
    dd_parse(begin.data, begin.size, &structure, &view)
    with nogil:
        for i in range(rounds):
            if dd_parse(copy.data, copy.size, &structure, &view) >= 0:
                accepted += 1 if dd_write_active(copy.data, copy.size, &view, 1, out, sizeof(out)) >= 0 else 0
    return accepted


def bench_h264_facts(bytes packet, size_t rounds):
    """Tell the facts of an H264 payload."""
    cdef Exact copy = exact_copy(packet)
    cdef FrameFacts facts
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if h264_facts(copy.data, copy.size, 0, &facts) >= 0 else 0
    return accepted


def bench_opus(bytes packet, size_t rounds):
    """Parse an Opus packet."""
    cdef Exact copy = exact_copy(packet)
    cdef OpusView view
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if opus_parse(copy.data, copy.size, &view) >= 0 else 0
    return accepted


def bench_red(bytes packet, size_t rounds):
    """Find the blocks of a RED payload."""
    cdef Exact copy = exact_copy(packet)
    cdef RedView view
    cdef size_t accepted = 0, i
    with nogil:
        for i in range(rounds):
            accepted += 1 if red_parse(copy.data, copy.size, &view) >= 0 else 0
    return accepted
