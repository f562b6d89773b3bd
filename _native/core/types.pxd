# Names for C types, the network tuple, and the codes that hot functions return.
#
# A hot function returns an `int`: >= 0 is success (often a length), < 0 is one of `Status`.
# Only core/errors.pyx turns a Status into a Python exception.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef uint8_t u8
ctypedef uint16_t u16
ctypedef uint32_t u32
ctypedef uint64_t u64
ctypedef int8_t i8
ctypedef int16_t i16
ctypedef int32_t i32
ctypedef int64_t i64

# A point in time or a span, in microseconds of a monotonic clock.
ctypedef int64_t us_t

cdef enum:
    US_PER_S = 1000000
    US_PER_MS = 1000

cdef enum Status:
    OK = 0
    # The peer's fault: bytes that are not what they should be.
    E_SHORT = -1         # ends before the structure does
    E_MALFORMED = -2     # a field has an impossible value
    E_AUTH = -3          # an authentication tag or integrity check failed
    E_REPLAY = -4        # seen before, or too old to tell
    E_UNSUPPORTED = -5   # well formed, but nothing we speak
    # The caller's misuse.
    E_SPACE = -10        # the output buffer is too small
    E_STATE = -11        # not in a state that allows this
    E_LIMIT = -12        # a cap was reached
    # Ours.
    E_NOMEM = -20
    E_INTERNAL = -21     # a library call failed that should not

# A 5-tuple without the protocol: the peer's address and the local address it was asked at.
# IPv4 is stored v4-mapped (::ffff:a.b.c.d), ports in host order; unused bytes are zero, so that
# two equal tuples are equal by memcmp.
cdef struct Tuple:
    u8 remote_ip[16]
    u8 local_ip[16]
    u32 scope_id         # of a link-local remote address, else 0
    u16 remote_port
    u16 local_port
