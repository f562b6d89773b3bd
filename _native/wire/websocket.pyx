"""WebSocket frames (RFC 6455 section 5.2): a header parsed, a mask taken off, a server's header written"""

from libc.string cimport memcpy
from simplestchat._native.core.bytes cimport get16, get64, put16, put64
from simplestchat._native.core.types cimport E_SHORT, OK, u8, u16, u64

cdef enum:
    _MASKED = 0x80
    _LENGTH_16 = 126
    _LENGTH_64 = 127
    _LENGTH_16_END = 0x10000


cdef int ws_head(const u8* data, size_t size, WsHead* out) noexcept nogil:
    cdef u8 length
    if size < 2:
        return E_SHORT
    length = data[1] & 0x7F
    out.first = data[0]
    out.masked = data[1] >> 7
    out.size = <u8> ((2 if length < _LENGTH_16 else 4 if length == _LENGTH_16 else 10) + WS_MASK_SIZE * out.masked)
    if size < out.size:
        return E_SHORT
    if length < _LENGTH_16:
        out.payload = length
    elif length == _LENGTH_16:
        out.payload = get16(data + 2)
    else:
        out.payload = get64(data + 2)
    return OK


cdef void ws_mask(u8* out, const u8* data, size_t size, const u8* mask) noexcept nogil:
    cdef size_t i = 0
    cdef u64 word, wide
    memcpy(&wide, mask, 4)
    memcpy(<u8*> &wide + 4, mask, 4)
    while size - i >= 8:
        memcpy(&word, data + i, 8)
        word ^= wide
        memcpy(out + i, &word, 8)
        i += 8
    while i < size:
        out[i] = data[i] ^ mask[i & 3]
        i += 1


cdef size_t ws_write_text_head(u8* out, u64 payload) noexcept nogil:
    out[0] = WS_TEXT_WHOLE
    if payload < _LENGTH_16:
        out[1] = <u8> payload
        return 2
    if payload < _LENGTH_16_END:
        out[1] = _LENGTH_16
        put16(out + 2, <u16> payload)
        return 4
    out[1] = _LENGTH_64
    put64(out + 2, payload)
    return 10
