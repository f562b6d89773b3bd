"""Stamps of synthetic media; see stamp.pxd for the contract."""

from libc.string cimport memcmp, memcpy
from simplestchat._native.core.bytes cimport get16, get32, get64, put16, put32, put64
from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.types cimport E_AUTH, E_MALFORMED, E_SHORT, E_SPACE, OK, u8, u16, u32, u64, us_t
from simplestchat._native.peer.scalability cimport SCALABILITY_MAX, SCALABILITY_PERIOD

cdef extern from "peer/crc32c.h":
    void sc_crc32c_init() noexcept nogil
    int sc_crc32c_has_instruction() noexcept nogil
    u32 sc_crc32c_portable(u32 crc, const u8* data, size_t size) noexcept nogil
    u32 sc_crc32c_fast(u32 crc, const u8* data, size_t size) noexcept nogil

cdef enum:
    _MAGIC = 0x53C4A7ED
    _VERSION = 1
    _LAYERED = 2                 # a version, too
    _LAYER_FIELDS = 4            # bytes
    _FIELDS = 40
    _CRC_SIZE = 4
    # Where the fields stand.
    _AT_USER = 4
    _AT_TRACK = 8
    _AT_LAYER = 9
    _AT_FLAGS = 10
    _AT_VERSION = 11
    _AT_FRAME = 12
    _AT_PART = 16
    _AT_PARTS = 18
    _AT_COUNTER = 20
    _AT_SENT = 24
    _AT_SIZE = 32
    _AT_START = 36               # where in the pattern the filler begins
    _TIME_BITS = 60              # of a time in microseconds, so that spans between two never overflow
    _STARTS = 1024
    _PATTERN = _STARTS + 1536    # so that any start has room for the largest stamp

# Noise: every filler is a stretch of it, so that writing one is a copy and checking one a comparison.
cdef u8 _pattern[_PATTERN]
cdef bint _instruction = False
cdef us_t _epoch = 0


cdef void _prepare() noexcept nogil:
    global _instruction
    cdef u64 state = 0x53494D504C455354
    cdef int i
    for i in range(_PATTERN):
        _pattern[i] = <u8> (splitmix(&state) >> 56)
    sc_crc32c_init()
    _instruction = sc_crc32c_has_instruction()


_prepare()


cdef void stamp_set_epoch(us_t epoch) noexcept nogil:
    global _epoch
    _epoch = epoch


cdef u32 crc32c(u32 crc, const u8* data, size_t size) noexcept nogil:
    return sc_crc32c_fast(crc, data, size) if _instruction else sc_crc32c_portable(crc, data, size)


cdef u32 crc32c_portable(u32 crc, const u8* data, size_t size) noexcept nogil:
    return sc_crc32c_portable(crc, data, size)


# Neighbours in a stream, and equal packets of two streams, begin at different places.
cdef inline u32 _start(u32 user, u8 track, u8 layer, u32 counter) noexcept nogil:
    cdef u32 mixed = (user * <u32> 0x9E3779B1) ^ (counter * <u32> 0x85EBCA77) ^ ((<u32> track << 8 | layer) * <u32> 0xC2B2AE3D)
    return (mixed ^ (mixed >> 15)) & (_STARTS - 1)


cdef int stamp_write(u8* out, size_t size, const Stamp* stamp) noexcept nogil:
    cdef u32 start = _start(stamp.user, stamp.track, stamp.layer, stamp.counter)
    cdef size_t filled = _FIELDS
    if size < STAMP_SIZE or size > STAMP_MAX_SIZE:
        return E_SPACE
    put32(out, _MAGIC)
    put32(out + _AT_USER, stamp.user)
    out[_AT_TRACK] = stamp.track
    out[_AT_LAYER] = stamp.layer
    out[_AT_FLAGS] = stamp.flags
    out[_AT_VERSION] = _LAYERED if stamp.layered else _VERSION
    put32(out + _AT_FRAME, stamp.frame)
    put16(out + _AT_PART, stamp.part)
    put16(out + _AT_PARTS, stamp.parts)
    put32(out + _AT_COUNTER, stamp.counter)
    put64(out + _AT_SENT, <u64> (stamp.sent_us - _epoch))
    put32(out + _AT_SIZE, <u32> size)
    put32(out + _AT_START, start)
    if stamp.layered:
        out[_FIELDS] = stamp.spatial << 4 | stamp.temporal
        out[_FIELDS + 1] = stamp.spatial_count
        out[_FIELDS + 2] = stamp.back
        out[_FIELDS + 3] = stamp.inter_layer
        filled += _LAYER_FIELDS
    memcpy(out + filled, _pattern + start, size - filled - _CRC_SIZE)
    put32(out + size - _CRC_SIZE, crc32c(0, out, size - _CRC_SIZE))
    return OK


cdef size_t _read_layers(const u8* data, Stamp* out) noexcept nogil:
    """Where the filler begins; 0 when such layers cannot be."""
    out.layered = data[_AT_VERSION] == _LAYERED
    out.spatial = out.temporal = out.spatial_count = out.back = out.inter_layer = 0
    if not out.layered:
        return _FIELDS
    out.spatial = data[_FIELDS] >> 4
    out.temporal = data[_FIELDS] & 0xF
    out.spatial_count = data[_FIELDS + 1]
    out.back = data[_FIELDS + 2]
    out.inter_layer = data[_FIELDS + 3]
    if out.spatial >= out.spatial_count or out.spatial_count > SCALABILITY_MAX or out.temporal >= SCALABILITY_MAX:
        return 0
    return _FIELDS + _LAYER_FIELDS if out.back <= SCALABILITY_PERIOD and out.inter_layer <= 1 else 0


cdef int stamp_read(const u8* data, size_t size, Stamp* out) noexcept nogil:
    cdef u32 start
    cdef size_t filled
    if size < STAMP_SIZE:
        return E_SHORT
    if get32(data) != <u32> _MAGIC or not _VERSION <= data[_AT_VERSION] <= _LAYERED or size > STAMP_MAX_SIZE:
        return E_MALFORMED
    if get32(data + _AT_SIZE) != size or get32(data + size - _CRC_SIZE) != crc32c(0, data, size - _CRC_SIZE):
        return E_AUTH
    if get64(data + _AT_SENT) >> _TIME_BITS:
        return E_MALFORMED
    out.user = get32(data + _AT_USER)
    out.track = data[_AT_TRACK]
    out.layer = data[_AT_LAYER]
    out.flags = data[_AT_FLAGS]
    out.frame = get32(data + _AT_FRAME)
    out.part = get16(data + _AT_PART)
    out.parts = get16(data + _AT_PARTS)
    out.counter = get32(data + _AT_COUNTER)
    out.sent_us = <us_t> get64(data + _AT_SENT) + _epoch
    start = _start(out.user, out.track, out.layer, out.counter)
    filled = _read_layers(data, out)
    if filled == 0:
        return E_MALFORMED
    if get32(data + _AT_START) != start or memcmp(data + filled, _pattern + start, size - filled - _CRC_SIZE) != 0:
        return E_AUTH
    return OK
