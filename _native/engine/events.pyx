"""What the node hears of; see events.pxd."""

from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.engine.entities cimport (
    EVENT_CONSUMER_LAYERS, EVENT_PRODUCER_LAYERS, MAX_EVENTS, Consumer, Producer, ShardState,
)


cdef void event_put(ShardState* s, u8 kind, u8 value, u32 id, u64 number) noexcept nogil:
    if s.event_count < MAX_EVENTS:
        s.events[s.event_count].kind = kind
        s.events[s.event_count].value = value
        s.events[s.event_count].id = id
        s.events[s.event_count].number = number
        s.event_count += 1


cdef void event_layers(ShardState* s, const Consumer* c) noexcept nogil:
    if s.event_count < MAX_EVENTS:
        s.events[s.event_count].spatial = c.told_spatial
        s.events[s.event_count].temporal = c.told_temporal
    event_put(s, EVENT_CONSUMER_LAYERS, c.reason, c.id, 0)


cdef void event_mask(ShardState* s, const Producer* p) noexcept nogil:
    event_put(s, EVENT_PRODUCER_LAYERS, p.told_mask, p.id, 0)
