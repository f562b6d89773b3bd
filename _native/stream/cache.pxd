# Received packets of one stream (one SSRC), decrypted, kept once for all consumers: blocks of bytes, in the order of writing, and a ring of
# slots.
#
# Bounded in bytes and in time: there are never more than `blocks` blocks, and one whose last packet is older than `keep_us` is given
# back. So a stream holds what it sent lately, a slow one little, a silent one nothing; memory is first taken with its first
# packet, and while the rate is steady an old block becomes the new one. Positions are 64-bit and only grow.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    CACHE_NEVER_US = 0x7FFFFFFFFFFFFFFF

cdef struct CachedPacket:
    u64 index            # 48-bit packet index (ROC and sequence) of the source
    u64 pos              # of its first byte
    us_t received_us
    u32 timestamp
    u16 size             # header and payload, padding included
    u16 header_size
    u16 payload_size     # without padding
    u16 level_off        # of the audio level extension's value (1 byte), 0 when absent; filled in by the owner
    u16 orientation_off  # likewise of the video orientation
    u8 payload_type
    u8 marker
    u8 keyframe          # begins a keyframe
    u8 late              # came after a newer one; filled in by the owner
    u8 used              # slot was ever written

cdef struct CacheBlock:
    u8* bytes            # NULL: not held
    us_t written_us      # last time

cdef struct PacketCache:
    CacheBlock* blocks   # block number % block_count; NULL before the first packet
    CachedPacket* slots
    u64 head             # next write position
    u64 floor            # what begins before it is gone
    us_t keep_us
    us_t written_us      # last time
    u32 reserved         # bytes that the next commit may keep
    u32 held             # blocks now
    u32 block_size       # bytes, a power of two
    u32 block_shift      # its logarithm
    u32 block_mask       # block count - 1
    u32 slot_mask        # slot count - 1; slot of a packet = index & slot_mask

# Sizes are rounded up to powers of two, at most 2**31. Nothing is allocated yet.
cdef void cache_init(PacketCache* cache, u32 block_size, u32 blocks, u32 slots, us_t keep_us) noexcept nogil
cdef void cache_free(PacketCache* cache) noexcept nogil
# Room for `size` contiguous bytes at the write position; NULL when it exceeds a block, or without memory. Nothing is kept until
# commit; blocks that give way are gone from now on.
cdef u8* cache_reserve(PacketCache* cache, u32 size, us_t now) noexcept nogil
# Keeps the first `size` bytes of the last reservation as packet `index` and returns its slot to be filled in (index, pos,
# size and used are set, the rest is zero); NULL when no room of that size was reserved.
cdef CachedPacket* cache_commit(PacketCache* cache, u64 index, u16 size) noexcept nogil
# NULL when it was never here or is gone.
cdef CachedPacket* cache_find(PacketCache* cache, u64 index) noexcept nogil
# Gives back what is older than keep_us. When to call again, CACHE_NEVER_US while nothing is held.
cdef us_t cache_expire(PacketCache* cache, us_t now) noexcept nogil
# Bytes of memory.
cdef u64 cache_bytes(const PacketCache* cache) noexcept nogil
# Was it ever here, also when its bytes are gone since? True for as long as no newer packet has taken its slot.
cdef inline bint cache_knows(const PacketCache* cache, u64 index) noexcept nogil:
    cdef const CachedPacket* packet
    if cache.slots == NULL:
        return False
    packet = &cache.slots[index & cache.slot_mask]
    return packet.used and packet.index == index
cdef inline u8* cache_data(const PacketCache* cache, const CachedPacket* packet) noexcept nogil:
    return cache.blocks[packet.pos >> cache.block_shift & cache.block_mask].bytes + (packet.pos & (cache.block_size - 1))
