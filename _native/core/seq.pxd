# Modular arithmetic of 16-bit sequence numbers and 32-bit timestamps (RFC 3550 appendix A.1, RFC 1982).
from simplestchat._native.core.types cimport i16, i32, i64, u16, u32, u64

# How far `a` is ahead of `b`, -32768..32767.
cdef inline i32 seq_diff(u16 a, u16 b) noexcept nogil:
    return <i16> <u16> (a - b)

cdef inline bint seq_newer(u16 a, u16 b) noexcept nogil:
    return seq_diff(a, b) > 0

# How far `a` is ahead of `b`, -2**31..2**31-1.
cdef inline i32 ts_diff(u32 a, u32 b) noexcept nogil:
    return <i32> (a - b)

cdef inline bint ts_newer(u32 a, u32 b) noexcept nogil:
    return ts_diff(a, b) > 0

# The index nearest to `reference` whose low 16 bits are `sequence`. Negative when it would lie before index 0: nothing that
# was ever sent, so the caller drops it (or adds 65536 where the first packet seen need not be the first sent).
cdef inline i64 seq_unwrap(u64 reference, u16 sequence) noexcept nogil:
    return <i64> reference + seq_diff(sequence, <u16> (reference & 0xFFFF))

# The same for 32-bit timestamps.
cdef inline i64 ts_unwrap(u64 reference, u32 timestamp) noexcept nogil:
    return <i64> reference + ts_diff(timestamp, <u32> (reference & 0xFFFFFFFFU))
