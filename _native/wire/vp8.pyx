"""The VP8 payload descriptor; the contract is in ``vp8.pxd``."""

from libc.string cimport memset
from simplestchat._native.core.bytes cimport Reader, reader, reader_left, take8
from simplestchat._native.core.types cimport E_SHORT, OK, u8, u16

cdef enum:
    # First octet (RFC 7741 section 4.2).
    _X = 0x80
    _S = 0x10
    _PID = 0x07
    # Extension octet.
    _I = 0x80
    _L = 0x40
    _T = 0x20
    _K = 0x10
    _KEYFRAME_HEADER = 10        # frame tag, start code, two dimensions (RFC 6386 section 9.1)


cdef void _extension(Reader* r, Vp8View* out) noexcept nogil:
    cdef u8 flags = take8(r), octet
    if flags & _I:
        octet = take8(r)
        out.has_picture_id = 1
        out.picture_id = octet & 0x7F
        if octet & 0x80:
            out.wide_picture_id = 1
            out.picture_id = <u16> ((out.picture_id << 8) | take8(r))
    if flags & _L:
        out.has_tl0picidx = 1
        out.tl0picidx = take8(r)
    if flags & (_T | _K):
        octet = take8(r)
        if flags & _T:
            out.has_tid = 1
            out.tid = octet >> 6
            out.layer_sync = (octet >> 5) & 1
        if flags & _K:
            out.has_keyidx = 1
            out.keyidx = octet & 0x1F


cdef int vp8_parse(const u8* payload, size_t size, Vp8View* out) noexcept nogil:
    cdef Reader r = reader(payload, size)
    cdef u8 first = take8(&r)
    cdef const u8* frame
    memset(out, 0, sizeof(Vp8View))
    if first & _X:
        _extension(&r, out)
    if r.failed or reader_left(&r) == 0:     # a descriptor alone carries nothing
        return E_SHORT
    out.descriptor_size = <u8> r.pos
    out.start = (first & _S) != 0 and (first & _PID) == 0
    frame = payload + r.pos
    out.keyframe = out.start and (frame[0] & 1) == 0
    if out.keyframe and reader_left(&r) >= _KEYFRAME_HEADER and frame[3] == 0x9D and frame[4] == 0x01 and frame[5] == 0x2A:
        out.width = <u16> (frame[6] | (<u16> (frame[7] & 0x3F) << 8))    # little endian, the top two bits are a scale
        out.height = <u16> (frame[8] | (<u16> (frame[9] & 0x3F) << 8))
    return OK
