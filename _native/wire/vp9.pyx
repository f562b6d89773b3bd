"""VP9 payloads as far as keyframes; the contract is in ``vp9.pxd``."""

from simplestchat._native.core.bytes cimport Reader, reader, reader_left, take, take8
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, u8

cdef enum:
    # First octet.
    _I = 0x80
    _P = 0x40
    _L = 0x20
    _F = 0x10
    _B = 0x08
    _V = 0x02
    _MORE = 0x01                 # another reference index follows
    _WIDE = 0x80                 # a second octet of the picture id follows
    _MOST_REFERENCES = 3
    # Scalability structure.
    _Y = 0x10
    _G = 0x08


cdef void _structure(Reader* r) noexcept nogil:
    """Sizes of the spatial layers, and which pictures of a group refer to which."""
    cdef u8 flags = take8(r)
    cdef int pictures
    if flags & _Y:
        take(r, 4 * ((flags >> 5) + 1))
    pictures = take8(r) if flags & _G else 0
    while pictures > 0 and not r.failed:
        take(r, take8(r) >> 2 & 3)
        pictures -= 1


cdef int _references(Reader* r) noexcept nogil:
    cdef int i
    for i in range(_MOST_REFERENCES):
        if not take8(r) & _MORE:
            return 0
    return E_SHORT if r.failed else E_MALFORMED


cdef int vp9_keyframe(const u8* payload, size_t size) noexcept nogil:
    cdef Reader r = reader(payload, size)
    cdef u8 flags = take8(&r), layers = 0
    cdef int status
    if flags & _F and not flags & _I:            # references are differences of picture ids
        return E_MALFORMED
    if flags & _I and take8(&r) & _WIDE:
        take8(&r)
    if flags & _L:
        layers = take8(&r)
        if not flags & _F:
            take8(&r)                            # the number of the last picture of temporal layer 0
    if flags & _P and flags & _F:
        status = _references(&r)
        if status < 0:
            return status
    if flags & _V:
        _structure(&r)
    if r.failed or reader_left(&r) == 0:         # a descriptor alone carries nothing
        return E_SHORT
    return flags & (_P | _B) == _B and layers >> 1 & 7 == 0
