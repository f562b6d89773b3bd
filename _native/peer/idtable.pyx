"""A growing table of ids; see idtable.pxd."""

from libc.string cimport memset

from simplestchat._native.core.table cimport Table64, table64_free, table64_init, table64_next, table64_put
from simplestchat._native.core.types cimport E_LIMIT, OK, u32, u64

cdef enum:
    FIRST = 8


cdef int idtable_init(Table64* table, u64 seed) noexcept nogil:
    return table64_init(table, FIRST, seed)


cdef int idtable_put(Table64* table, u64 key, u64 value, u32 cap, u64 seed) noexcept nogil:
    cdef Table64 wider
    cdef u32 cursor = 0
    cdef u64 old_key, old_value
    cdef int status
    if table.count >= table.cap:
        if table.cap >= cap:
            return E_LIMIT
        memset(&wider, 0, sizeof(wider))
        status = table64_init(&wider, min(2 * table.cap, cap), seed)
        if status != OK:
            return status
        while table64_next(table, &cursor, &old_key, &old_value):
            table64_put(&wider, old_key, old_value)
        table64_free(table)
        table[0] = wider
    return table64_put(table, key, value)
