"""AV1 payloads as far as keyframes; the contract is in ``av1.pxd``."""

from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, u8

cdef enum:
    _Z = 0x80                    # goes on with an OBU of the packet before
    _N = 0x08                    # begins a coded video sequence


cdef int av1_keyframe(const u8* payload, size_t size) noexcept nogil:
    if size < 2:                 # an aggregation header alone carries nothing
        return E_SHORT
    if payload[0] & _N and payload[0] & _Z:
        return E_MALFORMED
    return payload[0] & _N != 0
