# Received packets of one stream (one SSRC), decrypted, kept once for all consumers: a ring of bytes and a ring of slots.
#
# Positions are 64-bit and only grow; a packet is gone once the write position has passed it by more than the capacity, so
# overwriting needs no bookkeeping. Nothing is allocated after cache_init.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef struct CachedPacket:
    u64 index            # 48-bit packet index (ROC and sequence) of the source
    u64 pos              # of its first byte in the ring of bytes
    us_t received_us
    u32 timestamp
    u16 size             # header and payload, padding included
    u16 header_size
    u16 payload_size     # without padding
    u8 payload_type
    u8 marker
    u8 keyframe          # begins a keyframe
    u8 late              # came after a newer one; filled in by the owner
    u8 used              # slot was ever written
    u16 level_off        # of the audio level extension's value (1 byte), 0 when absent; filled in by the owner
    u16 orientation_off  # likewise of the video orientation

cdef struct PacketCache:
    u8* bytes
    CachedPacket* slots
    u64 head             # next write position
    u64 limit            # end of the furthest room ever reserved: what begins more than `capacity` before it is gone
    u32 reserved         # bytes that the next commit may keep
    u32 capacity         # bytes, a power of two
    u32 slot_mask        # slot count - 1; slot of a packet = index & slot_mask

# capacity and slots are rounded up to powers of two. OK or E_NOMEM.
# At most 2**31 of each.
cdef int cache_init(PacketCache* cache, u32 capacity, u32 slots) noexcept nogil
cdef void cache_free(PacketCache* cache) noexcept nogil
# Room for `size` contiguous bytes at the write position (NULL when size exceeds the capacity). Nothing is kept until commit;
# old packets under the room are gone from now on.
cdef u8* cache_reserve(PacketCache* cache, u32 size) noexcept nogil
# Keeps the first `size` bytes of the last reservation as packet `index` and returns its slot to be filled in (index, pos,
# size and used are set, the rest is zero); NULL when no room of that size was reserved.
cdef CachedPacket* cache_commit(PacketCache* cache, u64 index, u16 size) noexcept nogil
# NULL when it was never here or is overwritten.
cdef CachedPacket* cache_find(PacketCache* cache, u64 index) noexcept nogil
# Was it ever here, also when its bytes are overwritten since? True for as long as no newer packet has taken its slot.
cdef inline bint cache_knows(const PacketCache* cache, u64 index) noexcept nogil:
    cdef const CachedPacket* packet = &cache.slots[index & cache.slot_mask]
    return packet.used and packet.index == index
cdef inline u8* cache_data(const PacketCache* cache, const CachedPacket* packet) noexcept nogil:
    return cache.bytes + (packet.pos & (cache.capacity - 1))
