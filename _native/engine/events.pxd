# What the node hears of: a bounded list that it takes.
from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.engine.entities cimport Consumer, Producer, ShardState

cdef void event_put(ShardState* s, u8 kind, u8 value, u32 id, u64 number) noexcept nogil
cdef void event_layers(ShardState* s, const Consumer* c) noexcept nogil
cdef void event_mask(ShardState* s, const Producer* p) noexcept nogil
