"""What anybody of this process got; see ledger.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from simplestchat._native.core.table cimport Table64, table64_free, table64_get, table64_init, table64_next, table64_put
from simplestchat._native.core.types cimport E_LIMIT, OK, u8, u32, u64

cdef enum:
    _WORDS = LEDGER_BITS // 64

# The bits of one encoding's latest packets: bit (counter % LEDGER_BITS) of those in [next - LEDGER_BITS, next).
cdef struct _Stream:
    u64 next                     # one past the highest counter that anybody got
    u64 bits[_WORDS]
    u32 visit


cdef inline u64 _key(u64 who, u8 track, u8 layer) noexcept nogil:
    return (<u64> <u32> who << 16) | (<u64> track << 8) | layer


cdef Ledger* ledger_new(u64 seed) noexcept nogil:
    cdef Ledger* ledger = <Ledger*> calloc(1, sizeof(Ledger))
    if ledger is NULL:
        return NULL
    if table64_init(&ledger.streams, LEDGER_MAX_STREAMS, seed) < 0:
        free(ledger)
        return NULL
    return ledger


cdef void ledger_free(Ledger* l) noexcept nogil:
    cdef u32 cursor = 0
    cdef u64 key, value
    if l is NULL:
        return
    while table64_next(&l.streams, &cursor, &key, &value):
        free(<_Stream*> <size_t> value)
    table64_free(&l.streams)
    free(l)


cdef _Stream* _add(Ledger* l, u64 key) noexcept nogil:
    cdef _Stream* stream = <_Stream*> calloc(1, sizeof(_Stream))
    if stream is NULL or table64_put(&l.streams, key, <u64> <size_t> stream) < 0:
        free(stream)
        return NULL
    return stream


# Moves the ring on to `next`; the counters that come in with it are not delivered yet.
cdef void _advance(_Stream* stream, u64 next) noexcept nogil:
    cdef u64 counter = stream.next
    if next - counter >= LEDGER_BITS:
        memset(stream.bits, 0, sizeof(stream.bits))
    else:
        while counter < next:
            if counter & 63 == 0 and next - counter >= 64:
                stream.bits[(counter % LEDGER_BITS) >> 6] = 0
                counter += 64
            else:
                stream.bits[(counter % LEDGER_BITS) >> 6] &= ~(<u64> 1 << (counter & 63))
                counter += 1
    stream.next = next


cdef int ledger_delivered(Ledger* l, u64 who, u8 track, u8 layer, u32 counter) noexcept nogil:
    cdef u64 value, key = _key(who, track, layer)
    cdef u32 visit = <u32> (who >> 32)
    cdef _Stream* stream
    if table64_get(&l.streams, key, &value):
        stream = <_Stream*> <size_t> value
    else:
        stream = _add(l, key)
        if stream is NULL:
            return E_LIMIT
    if visit < stream.visit:
        return OK
    if visit > stream.visit:
        memset(stream, 0, sizeof(_Stream))
        stream.visit = visit
    if counter >= stream.next:
        _advance(stream, <u64> counter + 1)
    elif stream.next - counter > LEDGER_BITS:
        return OK
    stream.bits[(counter % LEDGER_BITS) >> 6] |= <u64> 1 << (counter & 63)
    return OK


cdef bint ledger_anybody(const Ledger* l, u64 who, u8 track, u8 layer, u32 counter) noexcept nogil:
    cdef u64 value
    cdef const _Stream* stream
    if not table64_get(&l.streams, _key(who, track, layer), &value):
        # Without room for the encoding nobody can tell; what cannot be told is not blamed on the way up.
        return l.streams.count >= LEDGER_MAX_STREAMS
    stream = <const _Stream*> <size_t> value
    if <u32> (who >> 32) != stream.visit:
        return <u32> (who >> 32) < stream.visit
    if counter >= stream.next:
        return False
    if stream.next - counter > LEDGER_BITS:
        return True
    return (stream.bits[(counter % LEDGER_BITS) >> 6] >> (counter & 63)) & 1
