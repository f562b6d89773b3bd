"""AV1 payloads; the contract is in ``av1.pxd``."""

from libc.string cimport memset
from simplestchat._native.core.bytes cimport Reader, reader, reader_left, take, take8
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, OK, u8, u64
from simplestchat._native.wire.facts cimport FrameFacts

cdef enum:
    _Z = 0x80                    # goes on with an OBU of the packet before
    _Y = 0x40
    _N = 0x08                    # begins a coded video sequence
    _MOST_LENGTH_OCTETS = 8      # of a leb128 (AV1 section 4.10.5)
    _OBU_FORBIDDEN = 0x80
    _OBU_EXTENSION = 0x04


cdef int av1_keyframe(const u8* payload, size_t size) noexcept nogil:
    if size < 2:                 # an aggregation header alone carries nothing
        return E_SHORT
    if payload[0] & _N and payload[0] & _Z:
        return E_MALFORMED
    return payload[0] & _N != 0


cdef size_t _length(Reader* r) noexcept nogil:
    """A leb128; a value of 32 bits and more, which no packet holds, fails."""
    cdef u64 value = 0
    cdef int i
    cdef u8 octet
    for i in range(_MOST_LENGTH_OCTETS):
        octet = take8(r)
        value |= <u64> (octet & 0x7F) << (7 * i)
        if not octet & 0x80:
            if value >> 32:
                r.failed = True
            return <size_t> value
    r.failed = True
    return 0


cdef int _note_layer(const u8* element, size_t size, bint cut, Av1View* out) noexcept nogil:
    """The header of an OBU that begins here, and goes on in the next packet when it is cut."""
    if size == 0:                # an empty element
        return OK
    if element[0] & _OBU_FORBIDDEN:
        return E_MALFORMED
    if not element[0] & _OBU_EXTENSION:
        return OK
    if size < 2:
        return OK if cut else E_SHORT            # the header itself may be cut in two
    if not out.layered:
        out.layered = 1
        out.temporal_id = element[1] >> 5
        out.spatial_id = (element[1] >> 3) & 3
    return OK


cdef int av1_parse(const u8* payload, size_t size, Av1View* out) noexcept nogil:
    cdef Reader r = reader(payload, size)
    cdef u8 head = take8(&r), said
    cdef size_t length
    cdef const u8* element
    cdef int status
    memset(out, 0, sizeof(Av1View))
    if head & _N and head & _Z:
        return E_MALFORMED
    out.continues = (head & _Z) != 0
    out.continued = (head & _Y) != 0
    out.starts_sequence = (head & _N) != 0
    said = (head >> 4) & 3
    if size < 2:
        return E_SHORT
    while reader_left(&r):
        # Of as many elements as W says the last has no length.
        length = reader_left(&r) if out.element_count + 1 == said else _length(&r)
        element = take(&r, length)
        if r.failed:
            return E_SHORT
        if out.element_count or not out.continues:
            status = _note_layer(element, length, out.continued and reader_left(&r) == 0, out)
            if status < 0:
                return status
        if out.element_count < 0xFF:
            out.element_count += 1
    return E_SHORT if r.failed or out.element_count < said else OK


cdef void av1_facts(const Av1View* view, bint marker, FrameFacts* out) noexcept nogil:
    memset(out, 0, sizeof(FrameFacts))
    out.keyframe = view.starts_sequence
    out.begins_frame = view.starts_sequence
    out.ends_frame = marker
    out.ends_picture = marker
    out.spatial_id = view.spatial_id
    out.temporal_id = view.temporal_id
    out.switch_in = view.starts_sequence
    out.switch_up = view.starts_sequence
    out.predicted = not view.starts_sequence
