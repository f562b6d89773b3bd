"""What one consumer sent lately; see sent.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    LARGEST = 0x80000000     # the largest power of two in 32 bits
    AT_FIRST = 32            # slots


cdef void sent_init(SentRing* ring, u32 cap) noexcept nogil:
    memset(ring, 0, sizeof(SentRing))
    ring.cap = 1
    while ring.cap < cap and ring.cap < <u32>LARGEST:
        ring.cap *= 2


cdef void sent_free(SentRing* ring) noexcept nogil:
    free(ring.slots)
    memset(ring, 0, sizeof(SentRing))


cdef u32 _grow(SentRing* ring) noexcept nogil:
    """Twice the slots, or the first ones. Bytes gained, 0 without memory."""
    cdef u32 before = ring.mask + 1 if ring.slots != NULL else 0
    cdef u32 size = before * 2 if before else min(<u32>AT_FIRST, ring.cap)
    cdef SentPacket* slots = <SentPacket*>calloc(size, sizeof(SentPacket))
    cdef u32 i
    if slots == NULL:
        return 0
    for i in range(before):
        if ring.slots[i].flags:
            slots[ring.slots[i].out_index & (size - 1)] = ring.slots[i]
    free(ring.slots)
    ring.slots = slots
    ring.mask = size - 1
    return (size - before) * <u32>sizeof(SentPacket)


cdef u32 sent_keep(SentRing* ring, const SentPacket* sent) noexcept nogil:
    cdef SentPacket* packet
    cdef u32 gained = 0
    cdef u32 more = 1
    if ring.slots == NULL:
        gained = _grow(ring)
        if gained == 0:
            return 0
    packet = &ring.slots[sent.out_index & ring.mask]
    while packet.flags and more and ring.mask + 1 < ring.cap and sent.sent_us - packet.sent_us < <u32>SENT_KEEP_US:
        more = _grow(ring)
        gained += more
        packet = &ring.slots[sent.out_index & ring.mask]
    packet[0] = sent[0]
    packet.flags |= SENT_USED
    return gained


cdef u32 sent_put(SentRing* ring, u64 out_index, u8 stream, u64 source_index, u32 timestamp, u8 padding, us_t now) noexcept nogil:
    cdef SentPacket sent
    memset(&sent, 0, sizeof(sent))
    sent.out_index = out_index
    sent.source_index = source_index
    sent.timestamp = timestamp
    sent.sent_us = <u32>now
    sent.stream = stream
    sent.padding = padding
    return sent_keep(ring, &sent)


cdef SentPacket* sent_find(SentRing* ring, u16 sequence, u64 next_out) noexcept nogil:
    # How far behind the highest index that was handed out: 0 .. 65535.
    cdef u16 behind = <u16>(next_out - 1 - sequence)
    cdef SentPacket* packet
    if ring.slots == NULL or behind >= next_out:
        return NULL
    packet = &ring.slots[(next_out - 1 - behind) & ring.mask]
    if not packet.flags or packet.out_index != next_out - 1 - behind:
        return NULL
    return packet


cdef bint sent_may_resend(SentPacket* packet, us_t now, us_t rtt) noexcept nogil:
    # A peer that asks again after exactly one round trip must not be refused because of a little jitter.
    cdef us_t gap = max(<us_t>SENT_MIN_GAP_US, rtt - rtt // 8)
    if packet.flags & SENT_WAITING or packet.resends >= SENT_MAX_RESENDS or (packet.resends and <us_t><u32>(<u32>now - packet.resent_us) < gap):
        return False
    packet.resends += 1
    packet.resent_us = <u32>now
    return True


cdef u64 sent_bytes(const SentRing* ring) noexcept nogil:
    return <u64>(ring.mask + 1) * sizeof(SentPacket) if ring.slots != NULL else 0
