"""Received packets in blocks, stored once for all consumers; see cache.pxd for the contract."""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    LARGEST = 0x80000000     # the largest power of two in 32 bits


cdef inline u32 _power_of_two(u32 at_least) noexcept nogil:
    cdef u32 size = 1
    while size < at_least and size < <u32>LARGEST:
        size *= 2
    return size


cdef void cache_init(PacketCache* cache, u32 block_size, u32 blocks, u32 slots, us_t keep_us) noexcept nogil:
    memset(cache, 0, sizeof(PacketCache))
    cache.block_size = _power_of_two(block_size)
    while <u32>1 << cache.block_shift < cache.block_size:
        cache.block_shift += 1
    cache.block_mask = _power_of_two(blocks) - 1
    cache.slot_mask = _power_of_two(slots) - 1
    cache.keep_us = keep_us


cdef bint _begin(PacketCache* cache) noexcept nogil:
    cache.blocks = <CacheBlock*>calloc(<size_t>cache.block_mask + 1, sizeof(CacheBlock))
    cache.slots = <CachedPacket*>calloc(<size_t>cache.slot_mask + 1, sizeof(CachedPacket))
    if cache.blocks != NULL and cache.slots != NULL:
        return True
    free(cache.blocks)
    free(cache.slots)
    cache.blocks = NULL
    cache.slots = NULL
    return False


cdef void cache_free(PacketCache* cache) noexcept nogil:
    cdef u32 i
    if cache.blocks != NULL:
        for i in range(cache.block_mask + 1):
            free(cache.blocks[i].bytes)
    free(cache.blocks)
    free(cache.slots)
    memset(cache, 0, sizeof(PacketCache))


cdef inline CacheBlock* _block(PacketCache* cache, u64 pos) noexcept nogil:
    return &cache.blocks[pos >> cache.block_shift & cache.block_mask]


cdef u8* _give_way(PacketCache* cache, u64 start, us_t now) noexcept nogil:
    """Blocks that are too old go, and the oldest one when there is no place left for one more at `start`. One of them, to be used again."""
    cdef u64 capacity = <u64>(cache.block_mask + 1) * cache.block_size
    cdef CacheBlock* block
    cdef u8* spare = NULL
    while cache.floor < start:
        block = _block(cache, cache.floor)
        if block.bytes != NULL and start - cache.floor < capacity and now - block.written_us < cache.keep_us:
            break
        if block.bytes != NULL:
            cache.held -= 1
            if spare == NULL:
                spare = block.bytes
            else:
                free(block.bytes)
            block.bytes = NULL
        cache.floor += cache.block_size
    return spare


cdef bint _enter(PacketCache* cache, CacheBlock* block, us_t now) noexcept nogil:
    """A block at the write position."""
    block.bytes = _give_way(cache, cache.head, now)
    if block.bytes == NULL:
        block.bytes = <u8*>malloc(cache.block_size)
    if block.bytes == NULL:
        return False
    cache.held += 1
    return True


cdef u8* cache_reserve(PacketCache* cache, u32 size, us_t now) noexcept nogil:
    cdef u32 offset = <u32>(cache.head & (cache.block_size - 1))
    cdef CacheBlock* block
    cache.reserved = 0
    if size > cache.block_size or (cache.blocks == NULL and not _begin(cache)):
        return NULL
    if size > cache.block_size - offset:
        # Contiguous room begins with the next block; the tail of this one stays unused.
        cache.head += cache.block_size - offset
        offset = 0
    block = _block(cache, cache.head)
    if offset == 0 and (block.bytes == NULL or cache.floor + <u64>cache.block_mask * cache.block_size < cache.head):
        if not _enter(cache, block, now):
            return NULL
    block.written_us = cache.written_us = now
    cache.reserved = size
    return block.bytes + offset


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
    cdef CachedPacket* packet
    if cache.slots == NULL:
        return NULL
    packet = &cache.slots[index & cache.slot_mask]
    if not packet.used or packet.index != index or packet.pos < cache.floor:
        return NULL
    return packet


cdef us_t cache_expire(PacketCache* cache, us_t now) noexcept nogil:
    if cache.held == 0:
        return CACHE_NEVER_US
    if now - cache.written_us >= cache.keep_us:
        # The stream is silent: its next packet begins a block of its own.
        cache.head = ((cache.head >> cache.block_shift) + 1) << cache.block_shift
        cache.reserved = 0
        free(_give_way(cache, cache.head, now))
        return CACHE_NEVER_US
    free(_give_way(cache, cache.head >> cache.block_shift << cache.block_shift, now))
    return cache.written_us + cache.keep_us


cdef u64 cache_bytes(const PacketCache* cache) noexcept nogil:
    if cache.blocks == NULL:
        return 0
    return (<u64>cache.held * cache.block_size + (<u64>cache.block_mask + 1) * sizeof(CacheBlock)
            + (<u64>cache.slot_mask + 1) * sizeof(CachedPacket))
