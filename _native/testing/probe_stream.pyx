"""Python doors to the stream layer: one thin class per structure."""

from libc.string cimport memcpy
cimport simplestchat._native.stream.cache as _cache
cimport simplestchat._native.stream.nack as _nack
cimport simplestchat._native.stream.recv as _recv
cimport simplestchat._native.stream.send as _send
cimport simplestchat._native.stream.sent as _sent
cimport simplestchat._native.stream.seqmap as _seqmap
cimport simplestchat._native.stream.tsmap as _tsmap
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport NackItem, ReportBlock, SenderInfo

MAX_NACK_ITEMS = 64

NACK_CAPACITY = _nack.NACK_CAPACITY
NACK_MAX_TRIES = _nack.NACK_MAX_TRIES
NACK_MAX_AGE_US = _nack.NACK_MAX_AGE_US
NACK_MIN_GAP_US = _nack.NACK_MIN_GAP_US
NACK_NO_DEADLINE = <us_t>_nack.NACK_NO_DEADLINE
SENT_MAX_RESENDS = _sent.SENT_MAX_RESENDS
SENT_MIN_GAP_US = _sent.SENT_MIN_GAP_US
SEQMAP_SPANS = _seqmap.SEQMAP_SPANS


cdef class PacketCache:
    cdef _cache.PacketCache state

    def __cinit__(self, u32 block_size, u32 blocks, u32 slots, us_t keep_us=2_000_000):
        _cache.cache_init(&self.state, block_size, blocks, slots, keep_us)

    def __dealloc__(self):
        _cache.cache_free(&self.state)

    def shape(self):
        """Bytes of a block, blocks and slots, after rounding up."""
        return self.state.block_size, self.state.block_mask + 1, self.state.slot_mask + 1

    def memory(self):
        """Blocks held, and bytes of memory in all."""
        return self.state.held, _cache.cache_bytes(&self.state)

    def expire(self, us_t now):
        """Gives back what is old; when to come again, or None."""
        cdef us_t again = _cache.cache_expire(&self.state, now)
        return None if again == _cache.CACHE_NEVER_US else again

    def reserve(self, u32 size, u8 fill=0, us_t now=0):
        """Reserves and scribbles ``fill`` over the room; whether there was room."""
        cdef u8* room = _cache.cache_reserve(&self.state, size, now)
        cdef u32 i
        if room == NULL:
            return False
        for i in range(size):
            room[i] = fill
        return True

    def commit(self, u64 index, bytes data):
        """Keeps ``data`` in the last reservation; whether it was kept."""
        cdef _cache.CachedPacket* packet = _cache.cache_commit(&self.state, index, <u16>len(data))
        if packet == NULL:
            return False
        memcpy(_cache.cache_data(&self.state, packet), <const u8*>data, len(data))
        return True

    def find(self, u64 index):
        """The bytes of packet ``index``, or None."""
        cdef _cache.CachedPacket* packet = _cache.cache_find(&self.state, index)
        if packet == NULL:
            return None
        return bytes(_cache.cache_data(&self.state, packet)[:packet.size])

    def knows(self, u64 index):
        """Whether packet ``index`` was ever kept, as far as its slot tells."""
        return _cache.cache_knows(&self.state, index)

    def time_store(self, u64 first, u32 packets, u16 size):
        """Reserves and commits ``packets`` packets, 3 ms apart; the number kept."""
        cdef u32 i, kept = 0
        with nogil:
            for i in range(packets):
                if _cache.cache_reserve(&self.state, 1500, <us_t>3000 * (first + i)) != NULL:
                    kept += _cache.cache_commit(&self.state, first + i, size) != NULL
        return kept

    def time_find(self, u64 first, u32 packets):
        """Looks ``packets`` packets up; the number found."""
        cdef u32 i, found = 0
        with nogil:
            for i in range(packets):
                found += _cache.cache_find(&self.state, first + i) != NULL
        return found


cdef dict _block(const ReportBlock* block):
    return {
        "ssrc": block.ssrc,
        "fraction_lost": block.fraction_lost,
        "cumulative_lost": block.cumulative_lost,
        "highest_seq": block.highest_seq,
        "jitter": block.jitter,
        "lsr": block.lsr,
        "dlsr": block.dlsr,
    }


cdef class RecvStats:
    cdef _recv.RecvStats state

    def __cinit__(self, u32 ssrc, u32 clock_rate):
        _recv.recv_init(&self.state, ssrc, clock_rate)

    def packet(self, u64 index, u32 timestamp, u32 payload_size, us_t now):
        return _recv.recv_packet(&self.state, index, timestamp, payload_size, now)

    def sender_report(self, u64 ntp, us_t now):
        cdef SenderInfo info
        info.ssrc = self.state.ssrc
        info.ntp = ntp
        info.rtp_timestamp = info.packets = info.octets = 0
        _recv.recv_sender_report(&self.state, &info, now)

    def report(self, us_t now):
        cdef ReportBlock block
        _recv.recv_report(&self.state, &block, now)
        return _block(&block)

    def lost(self):
        return _recv.recv_lost(&self.state)

    def counters(self):
        """Packets, octets, and the jitter times 16."""
        return self.state.packets, self.state.octets, self.state.jitter_q4


cdef class NackList:
    cdef _nack.NackList state

    def __cinit__(self):
        _nack.nack_init(&self.state)

    def received(self, u64 index, us_t now):
        """Had this packet been missing?"""
        return bool(_nack.nack_received(&self.state, index, now))

    def repaired(self, u64 index, us_t now):
        """A retransmission came; the smoothed round trip after it, 0 while unknown."""
        _nack.nack_repaired(&self.state, index, now)
        return self.state.rtt_us

    def collect(self, us_t now, us_t rtt=0, int cap=64):
        """The items (packet id, bit mask of the 16 behind it) asked for now, and how many packets were given up."""
        cdef NackItem items[64]
        cdef u32 given_up = 0
        cdef int count
        if not 0 <= cap <= MAX_NACK_ITEMS:
            raise ValueError("cap must be 0..64")
        count = _nack.nack_collect(&self.state, now, rtt, items, cap, &given_up)
        return [(items[i].pid, items[i].blp) for i in range(count)], given_up

    def missing(self):
        """The indices of the list, in its order."""
        return [self.state.entries[i].index for i in range(self.state.count)]

    def take_overflow(self):
        """Was the list forgotten since the last time this was asked?"""
        overflowed = bool(self.state.overflowed)
        self.state.overflowed = 0
        return overflowed

    @property
    def deadline(self):
        """When something is next due."""
        return self.state.deadline


cdef class SendStats:
    cdef _send.SendStats state

    def __cinit__(self, u32 ssrc, u32 clock_rate, u64 first_index):
        _send.send_init(&self.state, ssrc, clock_rate, first_index)

    def allocate(self):
        return _send.send_allocate(&self.state)

    def packet(self, u32 payload_size):
        _send.send_packet(&self.state, payload_size)

    def sender_report(self, u64 ntp, u32 rtp_timestamp, us_t arrival, u32 timestamp_offset, us_t now):
        """``(ssrc, ntp, rtp timestamp, packets, octets)`` for a source's report that came at ``arrival``."""
        cdef SenderInfo source, out
        source.ssrc = source.packets = source.octets = 0
        source.ntp = ntp
        source.rtp_timestamp = rtp_timestamp
        _send.send_sender_report(&self.state, &source, arrival, timestamp_offset, now, &out)
        return out.ssrc, out.ntp, out.rtp_timestamp, out.packets, out.octets

    def receiver_report(self, u32 lsr, u32 dlsr, u64 ntp_now, us_t now, u8 fraction=0, int lost=0, u32 jitter=0):
        cdef ReportBlock block
        block.ssrc = self.state.ssrc
        block.fraction_lost = fraction
        block.cumulative_lost = lost
        block.highest_seq = 0
        block.jitter = jitter
        block.lsr = lsr
        block.dlsr = dlsr
        return _send.send_receiver_report(&self.state, &block, ntp_now, now)

    def reported(self):
        """Fraction lost, cumulative loss, jitter, round-trip time in microseconds."""
        return self.state.fraction_lost, self.state.cumulative_lost, self.state.reported_jitter, self.state.rtt_us


def ntp_add(u64 ntp, us_t elapsed):
    return _send.ntp_add(ntp, elapsed)


cdef class SentRing:
    cdef _sent.SentRing state

    def __cinit__(self, u32 cap):
        _sent.sent_init(&self.state, cap)

    def __dealloc__(self):
        _sent.sent_free(&self.state)

    def put(self, u64 out_index, u8 stream, u64 source_index, u32 timestamp, us_t now=0):
        """How many bytes the ring has grown by."""
        return _sent.sent_put(&self.state, out_index, stream, source_index, timestamp, 0, now)

    def memory(self):
        """Bytes."""
        return _sent.sent_bytes(&self.state)

    def find(self, u16 sequence, u64 next_out):
        """``(out index, stream, source index, timestamp)``, or None."""
        cdef _sent.SentPacket* packet = _sent.sent_find(&self.state, sequence, next_out)
        if packet == NULL:
            return None
        return packet.out_index, packet.stream, packet.source_index, packet.timestamp

    def may_resend(self, u16 sequence, u64 next_out, us_t now, us_t rtt=0):
        cdef _sent.SentPacket* packet = _sent.sent_find(&self.state, sequence, next_out)
        return packet != NULL and bool(_sent.sent_may_resend(packet, now, rtt))


cdef class SeqMap:
    cdef _seqmap.SeqMap state

    def __cinit__(self, u64 first_out):
        _seqmap.seqmap_init(&self.state, first_out)

    def forward(self, u64 index):
        """The outgoing index, or None where there is no image."""
        cdef u64 out = 0
        return out if _seqmap.seqmap_forward(&self.state, index, &out) >= 0 else None

    def drop(self, u64 index):
        _seqmap.seqmap_drop(&self.state, index)

    def switch(self):
        _seqmap.seqmap_switch(&self.state)

    @property
    def next_out(self):
        """The outgoing index after the highest that was given."""
        return self.state.next_out

    def time_forward(self, u64 first, u32 packets, u32 drop_every):
        """Forwards a run of packets, dropping each ``drop_every``-th (0: none); the number forwarded."""
        cdef u64 out = 0
        cdef u32 i, forwarded = 0
        with nogil:
            for i in range(packets):
                if drop_every and i % drop_every == drop_every - 1:
                    _seqmap.seqmap_drop(&self.state, first + i)
                else:
                    forwarded += _seqmap.seqmap_forward(&self.state, first + i, &out) >= 0
        return forwarded


cdef class TsMap:
    cdef _tsmap.TsMap state

    def __cinit__(self, u32 clock_rate):
        _tsmap.tsmap_init(&self.state, clock_rate)

    def switch(self, u32 timestamp, us_t now):
        _tsmap.tsmap_switch(&self.state, timestamp, now)

    def forward(self, u32 timestamp, us_t now):
        return _tsmap.tsmap_forward(&self.state, timestamp, now)

    @property
    def offset(self):
        """What is subtracted from source timestamps."""
        return self.state.offset
