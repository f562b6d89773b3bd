# SipHash (Aumasson, Bernstein 2012) over whole 64-bit words: a keyed hash whose values cannot be aimed at without the key.
#
# 1-3 rounds are enough where outputs are not shown to anybody (hash tables); 2-4 is what its authors give vectors for.
from simplestchat._native.core.types cimport u64

cdef inline u64 _rotl(u64 x, int bits) noexcept nogil:
    return (x << bits) | (x >> (64 - bits))

cdef inline void _sip_round(u64* v) noexcept nogil:
    v[0] += v[1]; v[1] = _rotl(v[1], 13); v[1] ^= v[0]; v[0] = _rotl(v[0], 32)
    v[2] += v[3]; v[3] = _rotl(v[3], 16); v[3] ^= v[2]
    v[0] += v[3]; v[3] = _rotl(v[3], 21); v[3] ^= v[0]
    v[2] += v[1]; v[1] = _rotl(v[1], 17); v[1] ^= v[2]; v[2] = _rotl(v[2], 32)

# The hash of `count` little-endian words, as of their 8 * count bytes.
cdef inline u64 siphash(const u64* words, int count, u64 key0, u64 key1, int compress, int finish) noexcept nogil:
    cdef u64 v[4]
    cdef u64 word
    cdef int i, r
    v[0] = key0 ^ <u64>0x736F6D6570736575
    v[1] = key1 ^ <u64>0x646F72616E646F6D
    v[2] = key0 ^ <u64>0x6C7967656E657261
    v[3] = key1 ^ <u64>0x7465646279746573
    for i in range(count + 1):
        word = words[i] if i < count else <u64>(8 * count) << 56
        v[3] ^= word
        for r in range(compress):
            _sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for r in range(finish):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]

# Stretches a 64-bit seed: the next output of splitmix64 (Steele, Lea, Flood 2014).
cdef inline u64 splitmix(u64* state) noexcept nogil:
    cdef u64 z
    state[0] += <u64>0x9E3779B97F4A7C15
    z = state[0]
    z = (z ^ (z >> 30)) * <u64>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <u64>0x94D049BB133111EB
    return z ^ (z >> 31)
