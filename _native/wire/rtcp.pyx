"""RTCP compounds and their packets; the contract is in ``rtcp.pxd``."""

from libc.string cimport memcmp
from simplestchat._native.core.bytes cimport (
    Writer, add8, add16, add24, add32, add64, add_bytes, add_zeros, get16, get24, get32, get64, put16, writer, written,
)
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_SHORT, E_UNSUPPORTED, OK, i32, u8, u16, u32, u64

cdef enum:
    _HEADER = 4
    _SENDER = 8                  # header and the sender's SSRC
    _SENDER_INFO = 20
    _BLOCK = 24
    _FEEDBACK = 12               # header and two SSRCs
    _FIR_ENTRY = 8
    _REMB_FIXED = 20
    _REMB_MANTISSA_BITS = 18
    _MAX_COUNT = 31              # the header's count has five bits
    _MAX_PACKET = 65535          # offsets are 16 bits, and UDP carries no more
    _FIRST_TYPE = 192            # RFC 5761 section 4: 192..223 are RTCP's
    _LAST_TYPE = 223
    _SDES_END = 0
    _SDES_CNAME = 1


# Least size of a packet, without padding, for its type and count; readers and the walk lean on it.
cdef size_t _least(u8 kind, u8 count) noexcept nogil:
    if kind == RTCP_SR:
        return _SENDER + _SENDER_INFO + _BLOCK * <size_t> count
    if kind == RTCP_RR:
        return _SENDER + _BLOCK * <size_t> count
    if kind == RTCP_BYE:
        return _HEADER + 4 * <size_t> count
    if kind == RTCP_SDES:
        return _HEADER + 8 * <size_t> count      # an SSRC and the end of its item list
    if kind == RTCP_RTPFB or kind == RTCP_PSFB or kind == RTCP_APP:
        return _FEEDBACK
    if kind == RTCP_XR:
        return _SENDER
    return _HEADER


cdef int _check_bye(const u8* packet, size_t size, u8 count) noexcept nogil:
    # The reason for leaving, where there is one, must lie inside the packet.
    cdef size_t end = _HEADER + 4 * <size_t> count
    if size > end and packet[end] > size - end - 1:
        return E_MALFORMED
    return OK


cdef int rtcp_next(const u8* data, size_t size, size_t* pos, RtcpView* out) noexcept nogil:
    cdef const u8* packet = data + pos[0]
    cdef size_t left, whole, padding = 0
    if size > _MAX_PACKET or pos[0] > size:
        return E_MALFORMED
    left = size - pos[0]
    if left == 0:
        return 0
    if left < _HEADER:
        return E_SHORT
    if (packet[0] >> 6) != 2 or not _FIRST_TYPE <= packet[1] <= _LAST_TYPE:
        return E_MALFORMED
    whole = 4 * (<size_t> get16(packet + 2) + 1)
    if whole > left:
        return E_SHORT
    if packet[0] & 0x20:
        # Only the last packet may be padded. RFC 3550 wants a multiple of four, but browsers round transport-cc
        # feedback up with one to three padding bytes.
        padding = packet[whole - 1]
        if whole != left or padding == 0 or padding > whole - _HEADER:
            return E_MALFORMED
    out.type = packet[1]
    out.count = packet[0] & 0x1F
    out.off = <u16> pos[0]
    out.size = <u16> (whole - padding)
    if out.size < _least(out.type, out.count):
        return E_SHORT
    if out.type == RTCP_BYE and _check_bye(packet, out.size, out.count) < 0:
        return E_MALFORMED
    out.sender_ssrc = get32(packet + 4) if out.size >= _SENDER else 0
    if out.count == 0 and (out.type == RTCP_BYE or out.type == RTCP_SDES):
        out.sender_ssrc = 0
    out.media_ssrc = get32(packet + 8) if out.type == RTCP_RTPFB or out.type == RTCP_PSFB else 0
    pos[0] += whole
    return 1


cdef int rtcp_read_sr(const u8* data, const RtcpView* view, SenderInfo* out) noexcept nogil:
    cdef const u8* packet = data + view.off
    if view.type != RTCP_SR:
        return E_UNSUPPORTED
    if view.size < _SENDER + _SENDER_INFO:
        return E_SHORT
    out.ssrc = get32(packet + 4)
    out.ntp = get64(packet + 8)
    out.rtp_timestamp = get32(packet + 16)
    out.packets = get32(packet + 20)
    out.octets = get32(packet + 24)
    return OK


cdef int rtcp_read_report(const u8* data, const RtcpView* view, u8 index, ReportBlock* out) noexcept nogil:
    cdef size_t off
    cdef const u8* block
    cdef u32 lost
    if view.type != RTCP_SR and view.type != RTCP_RR:
        return E_UNSUPPORTED
    off = _SENDER + (_SENDER_INFO if view.type == RTCP_SR else 0) + _BLOCK * <size_t> index
    if index >= view.count or off + _BLOCK > view.size:
        return E_SHORT
    block = data + view.off + off
    lost = get24(block + 5)
    out.ssrc = get32(block)
    out.fraction_lost = block[4]
    out.cumulative_lost = <i32> lost - (0x1000000 if lost & 0x800000 else 0)
    out.highest_seq = get32(block + 8)
    out.jitter = get32(block + 12)
    out.lsr = get32(block + 16)
    out.dlsr = get32(block + 20)
    return OK


# Entries of `each` bytes behind the two SSRCs of a feedback packet of this kind: their number (at least one), or < 0.
cdef int _entries(const RtcpView* view, u8 kind, u8 format, size_t each) noexcept nogil:
    cdef size_t body
    if view.type != kind or view.count != format:
        return E_UNSUPPORTED
    if view.size < _FEEDBACK + each:
        return E_SHORT
    body = view.size - _FEEDBACK
    return <int> (body // each) if body % each == 0 else E_MALFORMED


cdef int rtcp_read_nack(const u8* data, const RtcpView* view, NackItem* out, size_t cap) noexcept nogil:
    cdef const u8* item = data + view.off + _FEEDBACK
    cdef int count = _entries(view, RTCP_RTPFB, RTPFB_NACK, 4), i
    if count > 0 and <size_t> count > cap:
        count = <int> cap
    for i in range(count):
        out[i].pid = get16(item + 4 * i)
        out[i].blp = get16(item + 4 * i + 2)
    return count


cdef int rtcp_read_fir(const u8* data, const RtcpView* view, u32* out, u8* seqs, size_t cap) noexcept nogil:
    cdef const u8* entry = data + view.off + _FEEDBACK
    cdef int count = _entries(view, RTCP_PSFB, PSFB_FIR, _FIR_ENTRY), i
    if count > 0 and <size_t> count > cap:
        count = <int> cap
    for i in range(count):
        out[i] = get32(entry + _FIR_ENTRY * i)
        seqs[i] = entry[_FIR_ENTRY * i + 4]
    return count


cdef int rtcp_read_remb(const u8* data, const RtcpView* view, Remb* out) noexcept nogil:
    cdef const u8* packet = data + view.off
    cdef size_t count, i
    cdef u32 exponent
    cdef u64 mantissa
    if view.type != RTCP_PSFB or view.count != PSFB_AFB:
        return E_UNSUPPORTED
    if view.size < _REMB_FIXED or memcmp(packet + 12, b"REMB", 4) != 0:
        return E_UNSUPPORTED         # another application's feedback
    count = packet[16]
    if _REMB_FIXED + 4 * count > view.size:
        return E_SHORT
    exponent = packet[17] >> 2
    mantissa = get24(packet + 17) & ((1 << _REMB_MANTISSA_BITS) - 1)
    if mantissa and exponent > 64 - _REMB_MANTISSA_BITS:
        out.bitrate_bps = 0xFFFFFFFFFFFFFFFFU    # more than 64 bits can say: no limit
    else:
        out.bitrate_bps = mantissa << (exponent if mantissa else 0)
    out.ssrc_count = <u8> (count if count < RTCP_REMB_MAX_SSRCS else RTCP_REMB_MAX_SSRCS)
    for i in range(out.ssrc_count):
        out.ssrcs[i] = get32(packet + _REMB_FIXED + 4 * i)
    return OK


cdef int rtcp_read_bye(const u8* data, const RtcpView* view, u32* out, size_t cap) noexcept nogil:
    cdef size_t count = view.count, i
    if view.type != RTCP_BYE:
        return E_UNSUPPORTED
    if _HEADER + 4 * count > view.size:
        return E_SHORT
    count = count if count < cap else cap
    for i in range(count):
        out[i] = get32(data + view.off + _HEADER + 4 * i)
    return <int> count


cdef int rtcp_read_cname(const u8* data, const RtcpView* view, u16* off) noexcept nogil:
    cdef const u8* packet = data + view.off
    cdef size_t pos = _SENDER, size
    if view.type != RTCP_SDES:
        return E_UNSUPPORTED
    if view.count == 0:
        return 0
    while pos < view.size and packet[pos] != _SDES_END:
        if <size_t> view.size - pos < 2:
            return E_SHORT
        size = packet[pos + 1]
        if size > <size_t> view.size - pos - 2:
            return E_SHORT
        if packet[pos] == _SDES_CNAME:
            off[0] = <u16> (view.off + pos + 2)
            return <int> size
        pos += 2 + size
    return 0 if pos < view.size else E_SHORT     # a list must have an end


cdef void _begin(Writer* w, u8 count, u8 kind) noexcept nogil:
    add8(w, 0x80 | count)
    add8(w, kind)
    add16(w, 0)                  # the length, corrected by _end


cdef int _end(Writer* w) noexcept nogil:
    if not w.failed:
        put16(w.data + 2, <u16> (w.pos // 4 - 1))
    return written(w)


cdef void _add_blocks(Writer* w, const ReportBlock* blocks, u8 count) noexcept nogil:
    cdef u8 i
    for i in range(count):
        add32(w, blocks[i].ssrc)
        add8(w, blocks[i].fraction_lost)
        add24(w, <u32> blocks[i].cumulative_lost & 0xFFFFFFU)
        add32(w, blocks[i].highest_seq)
        add32(w, blocks[i].jitter)
        add32(w, blocks[i].lsr)
        add32(w, blocks[i].dlsr)


cdef int rtcp_write_sr(u8* out, size_t cap, const SenderInfo* info, const ReportBlock* blocks, u8 count) noexcept nogil:
    cdef Writer w = writer(out, cap)
    if count > _MAX_COUNT:
        return E_LIMIT
    _begin(&w, count, RTCP_SR)
    add32(&w, info.ssrc)
    add64(&w, info.ntp)
    add32(&w, info.rtp_timestamp)
    add32(&w, info.packets)
    add32(&w, info.octets)
    _add_blocks(&w, blocks, count)
    return _end(&w)


cdef int rtcp_write_rr(u8* out, size_t cap, u32 ssrc, const ReportBlock* blocks, u8 count) noexcept nogil:
    cdef Writer w = writer(out, cap)
    if count > _MAX_COUNT:
        return E_LIMIT
    _begin(&w, count, RTCP_RR)
    add32(&w, ssrc)
    _add_blocks(&w, blocks, count)
    return _end(&w)


cdef int rtcp_write_sdes(u8* out, size_t cap, u32 ssrc, const u8* cname, u8 cname_len) noexcept nogil:
    cdef Writer w = writer(out, cap)
    _begin(&w, 1, RTCP_SDES)
    add32(&w, ssrc)
    add8(&w, _SDES_CNAME)
    add8(&w, cname_len)
    add_bytes(&w, cname, cname_len)
    add_zeros(&w, 4 - ((2 + <size_t> cname_len) & 3))    # one to four: the list ends with at least one
    return _end(&w)


cdef int rtcp_write_bye(u8* out, size_t cap, u32 ssrc) noexcept nogil:
    cdef Writer w = writer(out, cap)
    _begin(&w, 1, RTCP_BYE)
    add32(&w, ssrc)
    return _end(&w)


cdef void _begin_feedback(Writer* w, u8 format, u8 kind, u32 sender, u32 media) noexcept nogil:
    _begin(w, format, kind)
    add32(w, sender)
    add32(w, media)


cdef int rtcp_write_nack(u8* out, size_t cap, u32 sender, u32 media, const NackItem* items, size_t count) noexcept nogil:
    cdef Writer w = writer(out, cap)
    cdef size_t i
    if not 1 <= count <= RTCP_NACK_MAX_ITEMS:
        return E_LIMIT
    _begin_feedback(&w, RTPFB_NACK, RTCP_RTPFB, sender, media)
    for i in range(count):
        add16(&w, items[i].pid)
        add16(&w, items[i].blp)
    return _end(&w)


cdef int rtcp_write_pli(u8* out, size_t cap, u32 sender, u32 media) noexcept nogil:
    cdef Writer w = writer(out, cap)
    _begin_feedback(&w, PSFB_PLI, RTCP_PSFB, sender, media)
    return _end(&w)


cdef int rtcp_write_fir(u8* out, size_t cap, u32 sender, u32 media, u8 seq) noexcept nogil:
    cdef Writer w = writer(out, cap)
    _begin_feedback(&w, PSFB_FIR, RTCP_PSFB, sender, 0)   # RFC 5104 section 4.3.1.2: the media SSRC is in the entry
    add32(&w, media)
    add8(&w, seq)
    add24(&w, 0)
    return _end(&w)


cdef int rtcp_write_remb(u8* out, size_t cap, u32 sender, u64 bitrate_bps, const u32* ssrcs, u8 count) noexcept nogil:
    cdef Writer w = writer(out, cap)
    cdef u32 exponent = 0
    cdef u8 i
    if count > RTCP_REMB_MAX_SSRCS:
        return E_LIMIT
    while bitrate_bps >> _REMB_MANTISSA_BITS:
        bitrate_bps >>= 1
        exponent += 1
    _begin_feedback(&w, PSFB_AFB, RTCP_PSFB, sender, 0)
    add_bytes(&w, b"REMB", 4)
    add8(&w, count)
    add24(&w, (exponent << _REMB_MANTISSA_BITS) | <u32> bitrate_bps)
    for i in range(count):
        add32(&w, ssrcs[i])
    return _end(&w)
