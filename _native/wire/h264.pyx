"""H264 payloads as far as keyframes; the contract is in ``h264.pxd``."""

from libc.string cimport memset
from simplestchat._native.core.bytes cimport get16
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, E_UNSUPPORTED, OK, u8
from simplestchat._native.wire.facts cimport FrameFacts

cdef enum:
    _NAL_SLICE = 1
    _NAL_SLICE_A = 2             # the first partition of a slice in three
    _NAL_IDR = 5
    _NAL_SEI = 6
    _NAL_SPS = 7
    _NAL_DELIMITER = 9
    _NAL_LAST_SINGLE = 23
    _NAL_STAP_A = 24
    _NAL_FU_A = 28
    _NAL_FU_B = 29
    _REFERENCE = 0x60            # nal_ref_idc: other pictures refer to this one
    _FU_START = 0x80
    _FU_END = 0x40


# Does a NAL unit of this type, whose bytes after its header are (body, size), begin an IDR picture or carry an SPS?
# A slice begins its picture when first_mb_in_slice is 0, which in Exp-Golomb is a single 1 bit.
cdef inline int _begins(u8 kind, const u8* body, size_t size) noexcept nogil:
    if kind == _NAL_SPS:
        return 1
    if kind == _NAL_IDR:
        return body[0] >> 7 if size else E_SHORT
    return 0


cdef int _stap(const u8* payload, size_t size) noexcept nogil:
    cdef size_t pos = 1, length
    cdef int verdict, found = 0
    if size == 1:
        return E_SHORT
    while pos < size:
        if size - pos < 3:
            return E_SHORT
        length = get16(payload + pos)
        pos += 2
        if length == 0:
            return E_MALFORMED
        if length > size - pos:
            return E_SHORT
        if not 1 <= (payload[pos] & 0x1F) <= _NAL_LAST_SINGLE:
            return E_MALFORMED
        verdict = _begins(payload[pos] & 0x1F, payload + pos + 1, length - 1)
        if verdict < 0:
            return verdict
        found |= verdict
        pos += length
    return found


cdef int _fragment(const u8* payload, size_t size) noexcept nogil:
    cdef u8 head
    if size < 3:
        return E_SHORT
    head = payload[1]
    if (head & _FU_START and head & _FU_END) or not 1 <= (head & 0x1F) <= _NAL_LAST_SINGLE:
        return E_MALFORMED
    if not head & _FU_START:
        return 0
    return _begins(head & 0x1F, payload + 2, size - 2)


cdef int h264_keyframe(const u8* payload, size_t size) noexcept nogil:
    cdef u8 kind
    if size == 0:
        return E_SHORT
    kind = payload[0] & 0x1F
    if payload[0] & 0x80 or kind == 0 or kind > _NAL_FU_B:   # the forbidden bit, and types that RFC 6184 leaves undefined
        return E_MALFORMED
    if kind <= _NAL_LAST_SINGLE:
        return _begins(kind, payload + 1, size - 1)
    if kind == _NAL_STAP_A:
        return _stap(payload, size)
    if kind == _NAL_FU_A:
        return _fragment(payload, size)
    return E_UNSUPPORTED         # interleaved mode


# Is such a NAL unit the first of a picture? Parameter sets, SEI and delimiters come before its slices (H.264 section 7.4.1.2.3).
cdef inline bint _leads(u8 kind, const u8* body, size_t size) noexcept nogil:
    if _NAL_SEI <= kind <= _NAL_DELIMITER:
        return True
    return (kind == _NAL_SLICE or kind == _NAL_SLICE_A or kind == _NAL_IDR) and size > 0 and body[0] >> 7


cdef int h264_facts(const u8* payload, size_t size, bint marker, FrameFacts* out) noexcept nogil:
    cdef int keyframe = h264_keyframe(payload, size)
    cdef u8 kind
    memset(out, 0, sizeof(FrameFacts))
    if keyframe < 0:
        return keyframe
    kind = payload[0] & 0x1F
    if kind == _NAL_STAP_A:
        # What leads a picture leads the packet; the units were looked at just now.
        kind = payload[3] & 0x1F
        out.begins_frame = _leads(kind, payload + 4, get16(payload + 1) - 1)
    elif kind == _NAL_FU_A:
        kind = payload[1] & 0x1F
        out.begins_frame = payload[1] & _FU_START and _leads(kind, payload + 2, size - 2)
    else:
        out.begins_frame = _leads(kind, payload + 1, size - 1)
    out.begins_frame = out.begins_frame or keyframe
    out.keyframe = keyframe
    out.ends_frame = marker
    out.ends_picture = marker
    # Of a packet with several units the bits are those of the one that is needed most. What leads a picture is of no picture.
    out.discardable = not payload[0] & _REFERENCE and kind < _NAL_SEI
    out.switch_in = out.keyframe
    out.switch_up = out.keyframe
    return OK
