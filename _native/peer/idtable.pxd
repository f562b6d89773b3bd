# A table from numbers that the caller chose to pointers; it grows with what is in it, up to a cap.
from simplestchat._native.core.table cimport Table64
from simplestchat._native.core.types cimport u32, u64

cdef int idtable_init(Table64* table, u64 seed) noexcept nogil          # OK or E_NOMEM
# OK, E_LIMIT at the cap, or E_NOMEM.
cdef int idtable_put(Table64* table, u64 key, u64 value, u32 cap, u64 seed) noexcept nogil
