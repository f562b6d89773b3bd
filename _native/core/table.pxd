# Open-addressing hash tables with linear probing, from a key of one or five words to a 64-bit value (a number or a pointer).
#
# All memory is taken at init for a hard cap of entries; the load stays at or under a half. Removal shifts the run behind it
# back, so that no tombstones pile up. The hash is keyed (SipHash-1-3): a peer that chooses its keys cannot aim for collisions.
# Two flavours share the code: table64_* (an integer key) and tupletable_* (a network tuple).
from libc.string cimport memcpy
from simplestchat._native.core.types cimport Tuple, u32, u64

cdef enum:
    TABLE_MAX_CAP = 0x8000000          # entries; keeps the slot number within a tag
    TUPLE_WORDS = sizeof(Tuple) // 8

cdef struct Table:
    u32* tags            # 0 free, else the top bit and the low hash bits: most mismatches need no key
    u64* slots           # value, then the words of the key
    u64 key0
    u64 key1
    u32 words            # of a key
    u32 mask             # slot count - 1
    u32 cap              # entries at most
    u32 count

ctypedef Table Table64
ctypedef Table TupleTable

# OK, E_LIMIT for a cap of 0 or over TABLE_MAX_CAP, or E_NOMEM.
cdef int table_init(Table* t, u32 words, u32 cap, u64 seed) noexcept nogil
cdef void table_free(Table* t) noexcept nogil                  # a zeroed table is fine
cdef bint table_get(const Table* t, const u64* key, u64* value) noexcept nogil
cdef int table_put(Table* t, const u64* key, u64 value) noexcept nogil
cdef bint table_remove(Table* t, const u64* key) noexcept nogil
# Walks all entries in no order that means anything: *cursor starts at 0. 1 = one more (key has room for its words), 0 = end.
# The table must not change during a walk.
cdef bint table_next(const Table* t, u32* cursor, u64* key, u64* value) noexcept nogil

cdef inline int table64_init(Table64* t, u32 cap, u64 seed) noexcept nogil:
    return table_init(t, 1, cap, seed)

cdef inline void table64_free(Table64* t) noexcept nogil:
    table_free(t)

# Was it found? *value is only written then.
cdef inline bint table64_get(const Table64* t, u64 key, u64* value) noexcept nogil:
    return table_get(t, &key, value)

# Adds or replaces. OK, or E_LIMIT when the key is new and the table has `cap` entries.
cdef inline int table64_put(Table64* t, u64 key, u64 value) noexcept nogil:
    return table_put(t, &key, value)

# Was it there?
cdef inline bint table64_remove(Table64* t, u64 key) noexcept nogil:
    return table_remove(t, &key)

cdef inline bint table64_next(const Table64* t, u32* cursor, u64* key, u64* value) noexcept nogil:
    return table_next(t, cursor, key, value)

cdef inline u32 table64_count(const Table64* t) noexcept nogil:
    return t.count

cdef inline int tupletable_init(TupleTable* t, u32 cap, u64 seed) noexcept nogil:
    return table_init(t, TUPLE_WORDS, cap, seed)

cdef inline void tupletable_free(TupleTable* t) noexcept nogil:
    table_free(t)

cdef inline bint tupletable_get(const TupleTable* t, const Tuple* key, u64* value) noexcept nogil:
    cdef u64 words[TUPLE_WORDS]
    memcpy(words, key, sizeof(Tuple))
    return table_get(t, words, value)

cdef inline int tupletable_put(TupleTable* t, const Tuple* key, u64 value) noexcept nogil:
    cdef u64 words[TUPLE_WORDS]
    memcpy(words, key, sizeof(Tuple))
    return table_put(t, words, value)

cdef inline bint tupletable_remove(TupleTable* t, const Tuple* key) noexcept nogil:
    cdef u64 words[TUPLE_WORDS]
    memcpy(words, key, sizeof(Tuple))
    return table_remove(t, words)

cdef inline bint tupletable_next(const TupleTable* t, u32* cursor, Tuple* key, u64* value) noexcept nogil:
    cdef u64 words[TUPLE_WORDS]
    cdef bint more = table_next(t, cursor, words, value)
    if more:
        memcpy(key, words, sizeof(Tuple))
    return more

cdef inline u32 tupletable_count(const TupleTable* t) noexcept nogil:
    return t.count
