"""RTP headers and header extensions; the contract is in ``rtp.pxd``."""

from simplestchat._native.core.bytes cimport copy_small, get16, get32, put16, put32
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_SHORT, E_SPACE, OK, u8, u16, u32

cdef enum:
    _MAX_PACKET = 65535          # offsets are 16 bits, and UDP carries no more
    _EXT_HEADER = 4              # profile and length
    _ONE_BYTE_MAX_ID = 14
    _ONE_BYTE_MAX_SIZE = 16
    _ONE_BYTE_STOP = 15          # RFC 8285 section 4.2


cdef int rtp_parse(const u8* data, size_t size, RtpView* out) noexcept nogil:
    cdef size_t offset
    if size < RTP_FIXED_SIZE:
        return E_SHORT
    if (data[0] >> 6) != 2 or size > _MAX_PACKET:
        return E_MALFORMED
    out.has_padding = (data[0] >> 5) & 1
    out.csrc_count = data[0] & 0x0F
    out.marker = data[1] >> 7
    out.payload_type = data[1] & 0x7F
    out.sequence = get16(data + 2)
    out.timestamp = get32(data + 4)
    out.ssrc = get32(data + 8)
    out.ext_profile = 0
    out.ext_off = 0
    out.ext_len = 0
    offset = RTP_FIXED_SIZE + 4 * <size_t> out.csrc_count
    if offset > size:
        return E_SHORT
    if data[0] & 0x10:
        if size - offset < _EXT_HEADER:
            return E_SHORT
        if 4 * <size_t> get16(data + offset + 2) > size - offset - _EXT_HEADER:
            return E_SHORT
        out.ext_profile = get16(data + offset)
        out.ext_len = 4 * get16(data + offset + 2)
        out.ext_off = <u16> (offset + _EXT_HEADER)
        offset = <size_t> out.ext_off + out.ext_len
    out.header_size = <u16> offset
    return OK


cdef int rtp_payload_size(const u8* data, size_t size, const RtpView* view) noexcept nogil:
    cdef size_t payload, padding
    if size < view.header_size:
        return E_SHORT
    payload = size - view.header_size
    if not view.has_padding:
        return <int> payload
    if payload == 0:
        return E_MALFORMED
    padding = data[size - 1]
    if padding == 0 or padding > payload:
        return E_MALFORMED
    return <int> (payload - padding)


cdef inline bint _is_two_byte(u16 profile) noexcept nogil:
    return (profile & 0xFFF0) == RTP_EXT_TWO_BYTE


cdef int rtp_ext_next(const u8* data, const RtpView* view, u16* pos, RtpExt* out) noexcept nogil:
    cdef const u8* body = data + view.ext_off
    cdef size_t at = pos[0], end = view.ext_len, head, size
    cdef u8 id
    cdef bint two_byte = _is_two_byte(view.ext_profile)
    pos[0] = view.ext_len                    # where every way out but a found element leaves it
    if not two_byte and view.ext_profile != RTP_EXT_ONE_BYTE:
        return 0
    while at < end and body[at] == 0:
        at += 1
    if at >= end:
        return 0
    if two_byte:
        if end - at < 2:
            return 0
        id = body[at]
        size = body[at + 1]
        head = 2
    else:
        id = body[at] >> 4
        size = <size_t> (body[at] & 0x0F) + 1
        head = 1
        if id == 0 or id == _ONE_BYTE_STOP:  # id 0 with a length: RFC 8285 section 4.2 ends the walk too
            return 0
    if size > end - at - head:
        return 0
    out.id = id
    out.size = <u8> size
    out.off = <u16> (view.ext_off + at + head)
    pos[0] = <u16> (at + head + size)
    return 1


cdef int rtp_ext_find(const u8* data, const RtpView* view, u8 id, RtpExt* out) noexcept nogil:
    cdef u16 pos = 0
    while rtp_ext_next(data, view, &pos, out):
        if out.id == id:
            return 1
    return 0


cdef int rtp_write_fixed(u8* out, size_t cap, u8 payload_type, bint marker, u16 sequence, u32 timestamp, u32 ssrc,
                         bint padding, bint extension) noexcept nogil:
    if cap < RTP_FIXED_SIZE:
        return E_SPACE
    rtp_put_fixed(out, payload_type, marker, sequence, timestamp, ssrc, padding, extension)
    return RTP_FIXED_SIZE


cdef int rtp_ext_begin(RtpExtWriter* w, u8* out, size_t cap, size_t pos, bint two_byte) noexcept nogil:
    if pos > cap or cap - pos < _EXT_HEADER:
        return E_SPACE
    w.out = out
    w.cap = cap
    w.start = pos
    w.pos = pos + _EXT_HEADER
    w.two_byte = two_byte
    return OK


cdef int rtp_ext_put(RtpExtWriter* w, u8 id, const u8* value, u8 size) noexcept nogil:
    cdef size_t head = 2 if w.two_byte else 1
    if id == 0 or (not w.two_byte and (id > _ONE_BYTE_MAX_ID or size == 0 or size > _ONE_BYTE_MAX_SIZE)):
        return E_LIMIT
    if head + size > w.cap - w.pos:
        return E_SPACE
    if w.two_byte:
        w.out[w.pos] = id
        w.out[w.pos + 1] = size
    else:
        w.out[w.pos] = <u8> ((id << 4) | (size - 1))
    copy_small(w.out + w.pos + head, value, size)
    w.pos += head + size
    return OK


cdef int rtp_ext_end(RtpExtWriter* w) noexcept nogil:
    cdef size_t body = w.pos - w.start - _EXT_HEADER
    cdef size_t words = (body + 3) // 4
    cdef size_t padding = 4 * words - body
    if padding > w.cap - w.pos or w.pos + padding > _MAX_PACKET:
        return E_SPACE
    while padding:
        w.out[w.pos] = 0
        w.pos += 1
        padding -= 1
    put16(w.out + w.start, RTP_EXT_TWO_BYTE if w.two_byte else RTP_EXT_ONE_BYTE)
    put16(w.out + w.start + 2, <u16> words)
    return <int> w.pos
