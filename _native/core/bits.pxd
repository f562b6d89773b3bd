# Bit fields, most significant bit first: two bounds-checked cursors like those of core/bytes.
#
# A step that would leave the bounds only sets `failed`, reads as zero and writes nothing, and so does every step after it.
from simplestchat._native.core.types cimport u8, u32, u64

cdef struct BitReader:
    const u8* data
    size_t size          # bits
    size_t pos
    bint failed

cdef inline BitReader bit_reader(const u8* data, size_t bytes) noexcept nogil:
    cdef BitReader r
    r.data = data
    r.size = 8 * bytes
    r.pos = 0
    r.failed = False
    return r

# The next `count` bits, 0..32.
cdef inline u32 take_bits(BitReader* r, u32 count) noexcept nogil:
    cdef size_t at = r.pos >> 3, end = r.pos + count
    cdef u64 window = 0
    if r.failed or count > r.size - r.pos:
        r.failed = True
        return 0
    r.pos = end
    while 8 * at < end:
        window = window << 8 | r.data[at]
        at += 1
    return <u32> ((window >> (8 * at - end)) & ((<u64> 1 << count) - 1))

# A number below `values`, 1..2**16, in as few bits as it needs: `ns(n)` of the AV1 specifications.
cdef inline u32 take_below(BitReader* r, u32 values) noexcept nogil:
    cdef u32 width = 0, rest = values, short_ones, value
    while rest:
        rest >>= 1
        width += 1
    short_ones = (<u32> 1 << width) - values
    value = take_bits(r, width - 1)
    if value < short_ones:
        return value
    return (value << 1) - short_ones + take_bits(r, 1)


cdef struct BitWriter:
    u8* data
    size_t size          # bits
    size_t pos
    bint failed

# Bits of bytes that are only begun are written as 0, until another step writes them.
cdef inline BitWriter bit_writer(u8* data, size_t bytes) noexcept nogil:
    cdef BitWriter w
    w.data = data
    w.size = 8 * bytes
    w.pos = 0
    w.failed = False
    return w

# The low `count` bits of `value`, 0..32.
cdef inline void add_bits(BitWriter* w, u32 value, u32 count) noexcept nogil:
    cdef u32 free, part
    if w.failed or count > w.size - w.pos:
        w.failed = True
        return
    while count:
        free = 8 - <u32> (w.pos & 7)
        part = count if count < free else free
        if free == 8:
            w.data[w.pos >> 3] = 0
        count -= part
        w.data[w.pos >> 3] |= <u8> (((value >> count) & ((<u32> 1 << part) - 1)) << (free - part))
        w.pos += part
