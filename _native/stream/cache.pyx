"""A ring of received packets, stored once for all consumers; see cache.pxd for the contract."""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset
from simplestchat._native.core.types cimport E_NOMEM, OK, u8, u16, u32, u64

cdef enum:
    LARGEST = 0x80000000     # the largest power of two in 32 bits


cdef inline u32 _power_of_two(u32 at_least) noexcept nogil:
    cdef u32 size = 1
    while size < at_least and size < <u32>LARGEST:
        size *= 2
    return size


cdef int cache_init(PacketCache* cache, u32 capacity, u32 slots) noexcept nogil:
    memset(cache, 0, sizeof(PacketCache))
    cache.capacity = _power_of_two(capacity)
    slots = _power_of_two(slots)
    cache.slot_mask = slots - 1
    cache.bytes = <u8*>malloc(cache.capacity)
    cache.slots = <CachedPacket*>calloc(slots, sizeof(CachedPacket))
    if cache.bytes == NULL or cache.slots == NULL:
        cache_free(cache)
        return E_NOMEM
    return OK


cdef void cache_free(PacketCache* cache) noexcept nogil:
    free(cache.bytes)
    free(cache.slots)
    memset(cache, 0, sizeof(PacketCache))


cdef u8* cache_reserve(PacketCache* cache, u32 size) noexcept nogil:
    cdef u32 offset = <u32>(cache.head & (cache.capacity - 1))
    cache.reserved = 0
    if size > cache.capacity:
        return NULL
    if size > cache.capacity - offset:
        # Contiguous room begins at the start of the ring; the tail stays unused.
        cache.head += cache.capacity - offset
        offset = 0
    if cache.head + size > cache.limit:
        cache.limit = cache.head + size
    cache.reserved = size
    return cache.bytes + offset


cdef CachedPacket* cache_commit(PacketCache* cache, u64 index, u16 size) noexcept nogil:
    cdef CachedPacket* packet
    if size > cache.reserved:
        return NULL
    packet = &cache.slots[index & cache.slot_mask]
    memset(packet, 0, sizeof(CachedPacket))
    packet.index = index
    packet.pos = cache.head
    packet.size = size
    packet.used = 1
    cache.head += size
    cache.reserved = 0
    return packet


cdef CachedPacket* cache_find(PacketCache* cache, u64 index) noexcept nogil:
    cdef CachedPacket* packet = &cache.slots[index & cache.slot_mask]
    if not packet.used or packet.index != index or cache.limit - packet.pos > cache.capacity:
        return NULL
    return packet
