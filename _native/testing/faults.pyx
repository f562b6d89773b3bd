"""Shards that forward wrongly on purpose, so that it can be shown that the load tester notices.

The faults are put into the engine's state between receiving and forwarding, where a defect of the product would be: what
leaves is sealed properly, so no lower layer catches it.
"""

cimport cython
from libc.string cimport memcpy, memmove

from simplestchat._native.core.types cimport u16, u32, u8, us_t
from simplestchat._native.engine.entities cimport MAX_DATAGRAM, OutPacket, Pending, Producer, Stream
from simplestchat._native.engine.output cimport OUT_PACKETS
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.stream.cache cimport CachedPacket, cache_data, cache_find

cdef enum FaultKind:
    FAULT_DROP = 0                 # a packet is forwarded to nobody
    FAULT_DUPLICATE = 1            # a datagram leaves twice
    FAULT_CORRUPT = 2              # a bit of the media is another one
    FAULT_REORDER = 3              # two packets of a batch change places
    FAULT_MISDELIVER = 4           # the media of one publisher goes to the subscribers of another
    FAULT_KEEP = 5                 # a consumer that is closed goes on
    SMALLEST_MEDIA = 40            # bytes of payload; what is smaller is left alone

FAULTS = ("drop", "duplicate", "corrupt", "reorder", "misdeliver", "keep")


@cython.final
cdef class FaultyShard(Shard):
    """A shard like any other until `begin` says what it shall do wrong."""

    cdef int fault
    cdef u32 every
    cdef u32 seen
    cdef u32 kept_size             # payload of the publisher `kept_from`, to be put in another's place
    cdef u32 kept_from
    cdef u8 kept_video
    cdef u8 kept[MAX_DATAGRAM]
    cdef readonly unsigned long long committed

    def begin(self, str fault, u32 every):
        """From now on, one `fault` in every `every` packets that are taken in for forwarding."""
        if fault not in FAULTS or every == 0:
            raise ValueError(f"{fault!r} is not one of {', '.join(FAULTS)}, or every is 0")
        self.fault = FAULTS.index(fault)
        self.every = every

    def close_consumer(self, int id):
        if not (self.fault == FAULT_KEEP and self._due()):
            Shard.close_consumer(self, id)

    cdef bint flush(self, us_t now) noexcept nogil:
        cdef u32 i
        cdef u32 before = self.s.out.count
        cdef bint more
        if self.s.flush_producer == 0 and self.s.flush_consumer == 0 and self.s.flush_pending == 0:
            for i in range(self.s.dirty_count):
                self._tamper(self.s.dirty[i])
        more = Shard.flush(self, now)
        if self.fault == FAULT_DUPLICATE:
            self._repeat(before)
        return more

    cdef bint _due(self) noexcept nogil:
        self.seen += 1
        if self.every == 0 or self.seen % self.every:
            return False
        self.committed += 1
        return True

    cdef void _tamper(self, Producer* p) noexcept nogil:
        cdef u32 i = 0
        cdef Pending swapped
        while i < p.pending_count:
            if self.fault == FAULT_DROP and self._due():
                memmove(&p.pending[i], &p.pending[i + 1], (p.pending_count - i - 1) * sizeof(Pending))
                p.pending_count -= 1
                continue
            if self.fault == FAULT_REORDER and i + 1 < p.pending_count and self._due():
                swapped = p.pending[i]
                p.pending[i] = p.pending[i + 1]
                p.pending[i + 1] = swapped
                i += 1
            elif self.fault == FAULT_CORRUPT or self.fault == FAULT_MISDELIVER:
                self._spoil(p, &p.streams[p.pending[i].stream], &p.pending[i])
            i += 1

    cdef void _spoil(self, Producer* p, Stream* st, Pending* pending) noexcept nogil:
        cdef CachedPacket* packet = cache_find(&st.cache, pending.index)
        cdef u8* payload
        if packet == NULL or packet.payload_size < SMALLEST_MEDIA:
            return
        payload = cache_data(&st.cache, packet) + packet.header_size
        if self.fault == FAULT_CORRUPT:
            if self._due():
                payload[packet.payload_size // 2] ^= 1
        elif (self.kept_size and self.kept_from != p.id and self.kept_video == p.video
              and self.kept_size <= packet.payload_size):
            if self._due():
                memcpy(payload, self.kept, self.kept_size)
                packet.payload_size = <u16>self.kept_size
                packet.size = <u16>(packet.header_size + self.kept_size)
                self.kept_size = 0
        elif packet.payload_size <= MAX_DATAGRAM:
            memcpy(self.kept, payload, packet.payload_size)
            self.kept_size, self.kept_from, self.kept_video = packet.payload_size, p.id, p.video

    cdef void _repeat(self, u32 first) noexcept nogil:
        cdef u32 i
        cdef u32 count = self.s.out.count
        cdef OutPacket* packets = self.s.out.packets
        for i in range(first, count):
            if self.s.out.count < OUT_PACKETS and packets[i].size > SMALLEST_MEDIA and self._due():
                packets[self.s.out.count] = packets[i]
                self.s.out.count += 1
