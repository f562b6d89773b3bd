"""Keyed open-addressing hash tables with a hard cap; see table.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from simplestchat._native.core.siphash cimport siphash, splitmix
from simplestchat._native.core.types cimport E_LIMIT, E_NOMEM, OK, u32, u64

cdef enum:
    TAG_USED = 0x80000000


cdef inline u32 _tag(const Table* t, const u64* key) noexcept nogil:
    return <u32>siphash(key, t.words, t.key0, t.key1, 1, 3) | <u32>TAG_USED


cdef inline u64* _slot(const Table* t, u32 i) noexcept nogil:
    return t.slots + <size_t>i * (t.words + 1)


cdef inline bint _same(const u64* a, const u64* b, u32 words) noexcept nogil:
    cdef u32 i
    for i in range(words):
        if a[i] != b[i]:
            return False
    return True


cdef inline u32 _find(const Table* t, const u64* key, u32 tag) noexcept nogil:
    # The slot that holds the key, or the free one where it would go; a load of a half at most ends every search.
    cdef u32 i = tag & t.mask
    while t.tags[i] and not (t.tags[i] == tag and _same(_slot(t, i) + 1, key, t.words)):
        i = (i + 1) & t.mask
    return i


cdef int table_init(Table* t, u32 words, u32 cap, u64 seed) noexcept nogil:
    cdef u32 size = 2
    memset(t, 0, sizeof(Table))
    if cap == 0 or cap > TABLE_MAX_CAP:
        return E_LIMIT
    while size < 2 * cap:
        size *= 2
    t.tags = <u32*>calloc(size, sizeof(u32))
    t.slots = <u64*>calloc(size, (words + 1) * sizeof(u64))
    if t.tags == NULL or t.slots == NULL:
        table_free(t)
        return E_NOMEM
    t.key0 = splitmix(&seed)
    t.key1 = splitmix(&seed)
    t.words = words
    t.mask = size - 1
    t.cap = cap
    return OK


cdef void table_free(Table* t) noexcept nogil:
    free(t.tags)
    free(t.slots)
    memset(t, 0, sizeof(Table))


cdef bint table_get(const Table* t, const u64* key, u64* value) noexcept nogil:
    cdef u32 i = _find(t, key, _tag(t, key))
    if t.tags[i] == 0:
        return False
    value[0] = _slot(t, i)[0]
    return True


cdef int table_put(Table* t, const u64* key, u64 value) noexcept nogil:
    cdef u32 tag = _tag(t, key)
    cdef u32 i = _find(t, key, tag)
    if t.tags[i] == 0:
        if t.count >= t.cap:
            return E_LIMIT
        t.tags[i] = tag
        memcpy(_slot(t, i) + 1, key, t.words * sizeof(u64))
        t.count += 1
    _slot(t, i)[0] = value
    return OK


cdef bint table_remove(Table* t, const u64* key) noexcept nogil:
    cdef u32 hole = _find(t, key, _tag(t, key))
    cdef u32 i = hole
    if t.tags[hole] == 0:
        return False
    while True:
        i = (i + 1) & t.mask
        if t.tags[i] == 0:
            break
        # An entry may move into the hole when its home is not behind the hole.
        if ((i - (t.tags[i] & t.mask)) & t.mask) >= ((i - hole) & t.mask):
            t.tags[hole] = t.tags[i]
            memcpy(_slot(t, hole), _slot(t, i), (t.words + 1) * sizeof(u64))
            hole = i
    t.tags[hole] = 0
    t.count -= 1
    return True


cdef bint table_next(const Table* t, u32* cursor, u64* key, u64* value) noexcept nogil:
    cdef u32 i
    while cursor[0] <= t.mask:
        i = cursor[0]
        cursor[0] += 1
        if t.tags[i]:
            value[0] = _slot(t, i)[0]
            memcpy(key, _slot(t, i) + 1, t.words * sizeof(u64))
            return True
    return False
