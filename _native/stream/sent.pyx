"""What one consumer sent lately; see sent.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from simplestchat._native.core.types cimport E_NOMEM, OK, u8, u16, u32, u64, us_t

cdef enum:
    LARGEST = 0x80000000     # the largest power of two in 32 bits


cdef int sent_init(SentRing* ring, u32 slots) noexcept nogil:
    cdef u32 size = 1
    while size < slots and size < <u32>LARGEST:
        size *= 2
    ring.mask = size - 1
    ring.slots = <SentPacket*>calloc(size, sizeof(SentPacket))
    return OK if ring.slots != NULL else E_NOMEM


cdef void sent_free(SentRing* ring) noexcept nogil:
    free(ring.slots)
    memset(ring, 0, sizeof(SentRing))


cdef void sent_put(SentRing* ring, u64 out_index, u8 stream, u64 source_index, u32 timestamp, u8 padding) noexcept nogil:
    cdef SentPacket* packet = &ring.slots[out_index & ring.mask]
    packet.out_index = out_index
    packet.source_index = source_index
    packet.resent_us = 0
    packet.timestamp = timestamp
    packet.stream = stream
    packet.padding = padding
    packet.resends = 0
    packet.used = 1


cdef SentPacket* sent_find(SentRing* ring, u16 sequence, u64 next_out) noexcept nogil:
    # How far behind the highest index that was handed out: 0 .. 65535.
    cdef u16 behind = <u16>(next_out - 1 - sequence)
    cdef SentPacket* packet
    if behind >= next_out:
        return NULL
    packet = &ring.slots[(next_out - 1 - behind) & ring.mask]
    if not packet.used or packet.out_index != next_out - 1 - behind:
        return NULL
    return packet


cdef bint sent_may_resend(SentPacket* packet, us_t now, us_t rtt) noexcept nogil:
    # A peer that asks again after exactly one round trip must not be refused because of a little jitter.
    cdef us_t gap = max(<us_t>SENT_MIN_GAP_US, rtt - rtt // 8)
    if packet.resends >= SENT_MAX_RESENDS or (packet.resends and now - packet.resent_us < gap):
        return False
    packet.resends += 1
    packet.resent_us = now
    return True
