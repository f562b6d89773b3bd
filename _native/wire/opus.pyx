"""Opus packets; the contract is in ``opus.pxd``."""

from libc.string cimport memset
from simplestchat._native.core.bytes cimport Reader, reader, reader_left, take, take8
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, OK, u8, u16, u32

cdef enum:
    _STEREO = 0x04
    _CODE = 0x03
    _VBR = 0x80
    _PADDING = 0x40
    _COUNT = 0x3F
    _TWO_OCTETS = 252            # a length of so much and more has another octet, which counts four times
    _PADDING_GOES_ON = 255
    _MOST_SAMPLES = 5760         # 120 ms
    _MOST_BYTES = 1275           # of a frame
    _DTX_BYTES = 1
    _FIRST_HYBRID = 12           # configurations below are SILK alone
    _FIRST_CELT = 16
    _SILK_FRAME = 960            # 20 ms: longer frames are several of SILK's


cdef inline u32 _samples(u8 config) noexcept nogil:
    """The length of a frame (RFC 6716 table 2)."""
    if config >= _FIRST_CELT:
        return 120 << (config & 3)
    if config >= _FIRST_HYBRID:
        return 480 << (config & 1)
    return 2880 if config & 3 == 3 else 480 << (config & 3)


cdef u32 _frame_size(Reader* r) noexcept nogil:
    cdef u32 size = take8(r)
    return size if size < _TWO_OCTETS else size + 4 * take8(r)


cdef int _take_frame(Reader* r, size_t size, const u8** first, OpusView* out) noexcept nogil:
    cdef const u8* frame = take(r, size)
    if r.failed:
        return E_SHORT
    if size > _MOST_BYTES:
        return E_MALFORMED
    if size > _DTX_BYTES:
        out.dtx = 0
    if first[0] is NULL and size:
        first[0] = frame
    return OK


cdef int _many(Reader* r, const u8** first, OpusView* out) noexcept nogil:
    """Code 3: the octet that counts them, padding, lengths where they differ, then the frames."""
    cdef u8 head = take8(r), octet = _PADDING_GOES_ON
    cdef size_t padding = 0, total = 0, left
    cdef u32 sizes[OPUS_MAX_FRAMES]
    cdef int i, status
    out.frame_count = head & _COUNT
    if out.frame_count == 0 or out.frame_count > OPUS_MAX_FRAMES:
        return E_SHORT if r.failed else E_MALFORMED
    while head & _PADDING and octet == _PADDING_GOES_ON and not r.failed:
        octet = take8(r)
        padding += octet - (octet == _PADDING_GOES_ON)
    for i in range(out.frame_count - 1):
        sizes[i] = _frame_size(r) if head & _VBR else 0
        total += sizes[i]
    if r.failed or reader_left(r) < padding + total:
        return E_SHORT
    left = reader_left(r) - padding
    if not head & _VBR:
        if left % out.frame_count:
            return E_MALFORMED
        for i in range(out.frame_count):
            sizes[i] = <u32> (left // out.frame_count)
    else:
        sizes[out.frame_count - 1] = <u32> (left - total)
    for i in range(out.frame_count):
        status = _take_frame(r, sizes[i], first, out)
        if status < 0:
            return status
    return OK


cdef int _frames(Reader* r, u8 code, const u8** first, OpusView* out) noexcept nogil:
    cdef size_t size
    cdef int status
    if code == 3:
        return _many(r, first, out)
    size = reader_left(r)
    out.frame_count = 1
    if code == 1:
        if size % 2:
            return E_MALFORMED
        size //= 2
    elif code == 2:
        size = _frame_size(r)
    if code:
        out.frame_count = 2
        status = _take_frame(r, size, first, out)
        if status < 0:
            return status
        size = reader_left(r)
    return _take_frame(r, size, first, out)


cdef int opus_parse(const u8* payload, size_t size, OpusView* out) noexcept nogil:
    cdef Reader r = reader(payload, size)
    cdef const u8* first = NULL
    cdef u8 toc = take8(&r)
    cdef u32 samples, silk_frames
    cdef int status
    memset(out, 0, sizeof(OpusView))
    if r.failed:
        return E_SHORT
    out.config = toc >> 3
    out.stereo = (toc & _STEREO) != 0
    out.dtx = 1
    status = _frames(&r, toc & _CODE, &first, out)
    if status < 0:
        return status
    samples = _samples(out.config)
    if samples * out.frame_count > _MOST_SAMPLES:
        return E_MALFORMED
    out.duration = <u16> (samples * out.frame_count)
    if out.config < _FIRST_CELT and first is not NULL and not out.dtx:
        # For each channel a bit of activity for each frame of SILK, then the bit of redundancy (RFC 6716 section 4.2.3).
        silk_frames = samples // _SILK_FRAME if samples > _SILK_FRAME else 1
        out.has_fec = first[0] >> (7 - silk_frames) & 1
        if out.stereo:
            out.has_fec |= first[0] >> (6 - 2 * silk_frames) & 1
    return OK
