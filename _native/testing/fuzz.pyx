"""The fuzz driver; the contract is in ``fuzz.pxd``."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove
from simplestchat._native.core.bytes cimport get16, put16
from simplestchat._native.core.types cimport E_NOMEM, i64, u8, u16, u64

cdef struct _Entry:
    const u8* data
    size_t size

cdef struct _Mutant:
    u64 random
    const _Entry* entries
    size_t count
    size_t size
    u8 bytes[FUZZ_MAX_SIZE]


cdef void _fill(_Mutant* m, size_t begin, size_t end) noexcept nogil:
    cdef size_t i
    for i in range(begin, end):
        m.bytes[i] = <u8> (fuzz_random(&m.random) >> 56)


cdef void _load(_Mutant* m) noexcept nogil:
    # A corpus entry, or once in sixteen times noise of any length up to 128.
    cdef const _Entry* entry
    if m.count == 0 or fuzz_below(&m.random, 16) == 0:
        m.size = fuzz_below(&m.random, 129)
        _fill(m, 0, m.size)
        return
    entry = &m.entries[fuzz_below(&m.random, m.count)]
    m.size = entry.size
    memcpy(m.bytes, entry.data, m.size)


cdef void _splice(_Mutant* m) noexcept nogil:
    # From a random place on, go on with another entry's bytes from a random place on.
    cdef const _Entry* other
    cdef size_t at, start, length
    if m.count == 0:
        return
    other = &m.entries[fuzz_below(&m.random, m.count)]
    at = fuzz_below(&m.random, m.size + 1)
    start = fuzz_below(&m.random, other.size + 1)
    length = other.size - start
    if length > FUZZ_MAX_SIZE - at:
        length = FUZZ_MAX_SIZE - at
    memcpy(m.bytes + at, other.data + start, length)
    m.size = at + length


cdef void _edit_length(_Mutant* m) noexcept nogil:
    # 16 bits somewhere become a count that is nearly right or far off.
    cdef size_t at, kind
    cdef u16 value
    if m.size < 2:
        return
    at = fuzz_below(&m.random, m.size - 1)
    kind = fuzz_below(&m.random, 8)
    value = get16(m.bytes + at)
    if kind == 0:
        value += 1
    elif kind == 1:
        value -= 1
    elif kind == 2:
        value = 0
    elif kind == 3:
        value = 0xFFFF
    elif kind == 4:
        value = <u16> (m.size - at - 2)
    elif kind == 5:
        value = <u16> ((m.size - at) // 4)
    elif kind == 6:
        value = <u16> fuzz_below(&m.random, 65536)
    else:
        value = <u16> (1 << fuzz_below(&m.random, 16))
    put16(m.bytes + at, value)


cdef void _move_block(_Mutant* m) noexcept nogil:
    # Cuts some bytes out, or says them twice.
    cdef size_t at, length
    if m.size < 2:
        return
    at = fuzz_below(&m.random, m.size)
    length = 1 + fuzz_below(&m.random, m.size - at)
    if fuzz_random(&m.random) >> 63:
        memmove(m.bytes + at, m.bytes + at + length, m.size - at - length)
        m.size -= length
    elif m.size + length <= FUZZ_MAX_SIZE:
        memmove(m.bytes + at + length, m.bytes + at, m.size - at)
        m.size += length


cdef void _mutate(_Mutant* m) noexcept nogil:
    cdef size_t kind = fuzz_below(&m.random, 8), grown
    if kind == 0:
        m.size = fuzz_below(&m.random, m.size + 1)
    elif kind == 1:
        _splice(m)
    elif kind == 2:
        _edit_length(m)
    elif kind == 3:
        _move_block(m)
    elif kind == 4:
        grown = m.size + 1 + fuzz_below(&m.random, 16)
        if grown <= FUZZ_MAX_SIZE:
            _fill(m, m.size, grown)
            m.size = grown
    elif m.size and kind == 5:
        m.bytes[fuzz_below(&m.random, m.size)] = <u8> (fuzz_random(&m.random) >> 56)
    elif m.size:
        # Headers are where decisions are taken: half of the flipped bits lie in the first 32 bytes.
        grown = m.size if m.size < 32 or fuzz_random(&m.random) >> 63 else 32
        m.bytes[fuzz_below(&m.random, grown)] ^= <u8> (1 << fuzz_below(&m.random, 8))


cdef i64 _run(FuzzTarget target, void* state, u64 rounds, _Mutant* m, u64* accepted) noexcept nogil:
    # 0, FUZZ_BROKEN with the input in m, or E_NOMEM.
    cdef u64 i
    cdef size_t steps
    cdef u8* copy
    cdef int verdict
    for i in range(rounds):
        _load(m)
        steps = fuzz_below(&m.random, 5)             # none: entries as they are stay in the mix
        while steps:
            _mutate(m)
            steps -= 1
        copy = <u8*> malloc(m.size)
        if copy is NULL:
            return E_NOMEM
        memcpy(copy, m.bytes, m.size)
        verdict = target(state, copy, m.size, fuzz_random(&m.random))
        free(copy)
        if verdict == FUZZ_BROKEN:
            return FUZZ_BROKEN
        if verdict >= 0:
            accepted[0] += 1
    return 0


cdef u64 fuzz_run(FuzzTarget target, void* state, str name, u64 seed, u64 rounds, list corpus) except? 0xFFFFFFFFFFFFFFFF:
    cdef _Mutant mutant
    cdef u64 accepted = 0
    cdef i64 outcome
    cdef size_t i
    cdef _Entry* entries = <_Entry*> malloc((len(corpus) + 1) * sizeof(_Entry))
    if entries is NULL:
        raise MemoryError()
    try:
        for i, entry in enumerate(corpus):
            if len(entry) > FUZZ_MAX_SIZE:
                raise ValueError(f"a corpus entry has at most {FUZZ_MAX_SIZE} bytes")
            entries[i].data = <const u8*> PyBytes_AS_STRING(entry)
            entries[i].size = len(entry)
        mutant.entries = entries
        mutant.count = len(corpus)
        mutant.size = 0
        mutant.random = (seed + 1) * 0x9E3779B97F4A7C15U | 1
        with nogil:
            outcome = _run(target, state, rounds, &mutant, &accepted)
    finally:
        free(entries)
    if outcome == FUZZ_BROKEN:
        raise AssertionError(f"{name}: an invariant does not hold for {mutant.bytes[:mutant.size].hex()}")
    if outcome < 0:
        raise MemoryError()
    return accepted
