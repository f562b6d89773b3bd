"""Doors to what synthetic users are made of, below their senders and receivers: histograms, stamps, payloads, the ledger."""

from libc.string cimport memset
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.histogram cimport (
    HISTOGRAM_BUCKETS, Histogram as _Histogram, histogram_add, histogram_bucket as _bucket, histogram_clear, histogram_merge,
    histogram_take,
)
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t
from simplestchat._native.peer.ledger cimport Ledger as _Ledger, ledger_anybody, ledger_delivered, ledger_free, ledger_new
from simplestchat._native.peer.ledger cimport LEDGER_BITS as _BITS, LEDGER_MAX_STREAMS as _MAX_STREAMS
from simplestchat._native.peer.payload cimport PayloadFrame, payload_read as _payload_read, payload_write as _payload_write
from simplestchat._native.peer.stamp cimport (
    Stamp, crc32c as _crc32c, crc32c_portable as _crc32c_portable, stamp_read as _stamp_read, stamp_write as _stamp_write,
)
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room

BUCKETS = HISTOGRAM_BUCKETS
LEDGER_BITS = _BITS
LEDGER_MAX_STREAMS = _MAX_STREAMS


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


def histogram_bucket(u64 value):
    """The bucket of a span."""
    return _bucket(value)


cdef class Histogram:
    """One histogram."""

    cdef _Histogram state

    def __cinit__(self):
        histogram_clear(&self.state)

    def add(self, us_t value):
        """Counts a span in microseconds."""
        histogram_add(&self.state, value)

    def merge(self, Histogram other):
        """Adds what ``other`` holds."""
        histogram_merge(&self.state, &other.state)

    def saturate(self, us_t value):
        """Fills the bucket of ``value`` up to one below what it can count."""
        self.state.buckets[_bucket(value)] = 0xFFFFFFFE

    def take(self):
        """``(count, sum, minimum, maximum, {bucket: count})``; begins anew."""
        return histogram_take(&self.state)


def crc32c(bytes data, u32 crc=0):
    """CRC32C, by the CPU's instruction where it has one."""
    cdef Exact copy = exact_copy(data)
    return _crc32c(crc, copy.data, copy.size)


def crc32c_portable(bytes data, u32 crc=0):
    """CRC32C, by tables."""
    cdef Exact copy = exact_copy(data)
    return _crc32c_portable(crc, copy.data, copy.size)


def stamp_write(size_t size, dict fields):
    """A stamp of ``size`` bytes; keys are those of Stamp."""
    cdef Exact out = exact_room(size)
    cdef Stamp stamp = fields
    _check(_stamp_write(out.data, size, &stamp), "a stamp")
    return bytes(out.data[:size])


def stamp_read(bytes data):
    """The fields of a stamp."""
    cdef Exact copy = exact_copy(data)
    cdef Stamp stamp
    _check(_stamp_read(copy.data, copy.size, &stamp), "a stamp")
    return dict(stamp)


def payload_write(dict fields, size_t cap=64):
    """The bytes before the stamp; keys are those of PayloadFrame, what is left out is 0."""
    cdef Exact out = exact_room(cap)
    cdef PayloadFrame frame
    memset(&frame, 0, sizeof(frame))
    frame.codec = fields["codec"]
    frame.keyframe = fields.get("keyframe", 0)
    frame.first = fields.get("first", 0)
    frame.last = fields.get("last", 0)
    frame.temporal_layer = fields.get("temporal_layer", 0)
    frame.spatial_layer = fields.get("spatial_layer", 0)
    frame.width = fields.get("width", 0)
    frame.height = fields.get("height", 0)
    frame.picture_id = fields.get("picture_id", 0)
    cdef int size = _check(_payload_write(out.data, cap, &frame), "a payload descriptor")
    return bytes(out.data[:size])


def payload_read(u8 codec, bytes data):
    """Where the stamp begins, and the fields of PayloadFrame."""
    cdef Exact copy = exact_copy(data)
    cdef PayloadFrame frame
    cdef int offset = _check(_payload_read(codec, copy.data, copy.size, &frame), "a payload descriptor")
    return offset, dict(frame)


cdef class Ledger:
    """One ledger."""

    cdef _Ledger* state

    def __cinit__(self, u64 seed=1):
        self.state = ledger_new(seed)
        if self.state is NULL:
            raise MemoryError

    def __dealloc__(self):
        ledger_free(self.state)

    def delivered(self, u32 user, u8 track, u8 layer, u32 counter):
        """Notes that somebody got this packet."""
        _check(ledger_delivered(self.state, user, track, layer, counter), "a ledger")

    def anybody(self, u32 user, u8 track, u8 layer, u32 counter):
        """Did anybody get this packet?"""
        return bool(ledger_anybody(self.state, user, track, layer, counter))
