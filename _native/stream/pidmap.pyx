"""Numbers of pictures over switches; see pidmap.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport OK, i64, u8, u16, u32, u64
from simplestchat._native.stream.seqmap cimport seqmap_drop, seqmap_forward, seqmap_init, seqmap_switch
from simplestchat._native.wire.facts cimport PictureIds

cdef enum:
    _BASE = 1 << 20              # where unwrapped pictures begin: what comes late at the start has no negative number
    _KEYIDX = 31


cdef inline u64 _unwrap(const PidMap* m, const PictureIds* ids) noexcept nogil:
    """The picture nearest to the newest one that has this number, in as many bits as it has."""
    cdef u32 modulus = <u32> 1 << ids.picture_bits
    cdef u32 ahead
    if not m.begun:
        return _BASE + ids.picture_id
    ahead = <u32> (ids.picture_id - m.newest) & (modulus - 1)
    if ahead < modulus >> 1:
        return m.newest + ahead
    return m.newest - (modulus - ahead)


cdef void pidmap_init(PidMap* m) noexcept nogil:
    memset(m, 0, sizeof(PidMap))
    seqmap_init(&m.pictures, 0)


cdef void _begin(PidMap* m, const PictureIds* ids) noexcept nogil:
    m.newest = _BASE + ids.picture_id
    if m.joined:
        m.tl0picidx_shift = <u8> (m.tl0picidx + 1 - ids.tl0picidx)
        m.keyidx_shift = <u8> (m.keyidx + 1 - ids.keyidx)
    else:
        m.pictures.next_out = ids.picture_id
    m.tl0picidx = <u8> (ids.tl0picidx + m.tl0picidx_shift)
    m.keyidx = <u8> (ids.keyidx + m.keyidx_shift) & _KEYIDX
    m.begun = 1
    m.joined = 1


cdef int pidmap_forward(PidMap* m, const PictureIds* ids, PictureIds* out) noexcept nogil:
    cdef u64 index, image = 0
    cdef int status
    if not m.begun:
        _begin(m, ids)
    out[0] = ids[0]
    if ids.picture_bits:
        index = _unwrap(m, ids)
        status = seqmap_forward(&m.pictures, index, &image)
        if status < 0:
            return status
        if index > m.newest:
            m.newest = index
        out.picture_id = <u16> (image & ((<u32> 1 << ids.picture_bits) - 1))
    if ids.has_tl0picidx:
        out.tl0picidx = <u8> (ids.tl0picidx + m.tl0picidx_shift)
        if 0 < <u8> (out.tl0picidx - m.tl0picidx) < 0x80:
            m.tl0picidx = out.tl0picidx
    if ids.has_keyidx:
        out.keyidx = <u8> (ids.keyidx + m.keyidx_shift) & _KEYIDX
        if 0 < ((out.keyidx - m.keyidx) & _KEYIDX) <= _KEYIDX >> 1:
            m.keyidx = out.keyidx
    return OK


cdef void pidmap_drop(PidMap* m, const PictureIds* ids) noexcept nogil:
    cdef u64 index
    if not m.begun or not ids.picture_bits:
        return
    index = _unwrap(m, ids)
    seqmap_drop(&m.pictures, index)
    if index > m.newest:
        m.newest = index


cdef void pidmap_switch(PidMap* m) noexcept nogil:
    m.begun = 0
    seqmap_switch(&m.pictures)
