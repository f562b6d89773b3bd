"""Redundant audio; the contract is in ``red.pxd``."""

from simplestchat._native.core.bytes cimport Reader, get24, reader, reader_left, take, take8
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, E_UNSUPPORTED, OK, u8, u16, u32

cdef enum:
    _FOLLOWS = 0x80              # another header follows, so this one says offset and length
    _MAX_SIZE = 65535            # offsets are 16 bits, and UDP carries no more


cdef int red_parse(const u8* payload, size_t size, RedView* out) noexcept nogil:
    cdef Reader r = reader(payload, size)
    cdef RedBlock* block
    cdef const u8* rest
    cdef u8 head, i
    cdef u32 value
    out.count = 0
    if size > _MAX_SIZE:
        return E_MALFORMED
    while True:
        if out.count == RED_MAX_BLOCKS:
            return E_UNSUPPORTED
        block = &out.blocks[out.count]
        head = take8(&r)
        block.payload_type = head & 0x7F
        block.timestamp_offset = 0
        out.count += 1
        if not head & _FOLLOWS:
            break
        rest = take(&r, 3)
        if rest is NULL:
            return E_SHORT
        value = get24(rest)
        block.timestamp_offset = <u16> (value >> 10)
        block.size = <u16> (value & 0x3FF)
    for i in range(out.count - 1):
        out.blocks[i].off = <u16> r.pos
        take(&r, out.blocks[i].size)
    if r.failed:
        return E_SHORT
    block.off = <u16> r.pos
    block.size = <u16> reader_left(&r)
    return OK
