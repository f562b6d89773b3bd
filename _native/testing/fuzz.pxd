# A bounded, seeded fuzz driver that never leaves C: corpus entries are mutated and handed to a target as exact-size heap copies.
from simplestchat._native.core.types cimport u8, u64

cdef enum:
    FUZZ_MAX_SIZE = 1600         # bytes of an input; a little more than a datagram may have
    FUZZ_BROKEN = -1000          # a target's verdict: one of its invariants does not hold

# >= 0: the input was accepted; FUZZ_BROKEN: a fault of ours; any other < 0: it was refused. The target may write into `data`,
# and draws further choices from `random`.
ctypedef int (*FuzzTarget)(void* state, u8* data, size_t size, u64 random) noexcept nogil

# Runs `rounds` inputs; the number of accepted ones. AssertionError, with the input in hex, at the first FUZZ_BROKEN.
cdef u64 fuzz_run(FuzzTarget target, void* state, str name, u64 seed, u64 rounds, list corpus) except? 0xFFFFFFFFFFFFFFFF

# xorshift64* (Vigna 2014); the state is never 0.
cdef inline u64 fuzz_random(u64* state) noexcept nogil:
    cdef u64 x = state[0]
    x ^= x >> 12
    x ^= x << 25
    x ^= x >> 27
    state[0] = x
    return x * 0x2545F4914F6CDD1DU

# 0..below-1; `below` > 0.
cdef inline size_t fuzz_below(u64* state, size_t below) noexcept nogil:
    return <size_t> ((fuzz_random(state) >> 32) % below)
