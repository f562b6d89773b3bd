"""What forwarding costs the engine alone: sealed datagrams of publishers in, sealed datagrams of consumers out, nothing is sent.

Every transport is connected without a handshake and speaks AES-128-GCM. The publishers' packets are sealed beforehand, so that a run
holds nothing but the engine's own work.
"""

cimport cython
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SrtpContext, srtp_free, srtp_seal
from simplestchat._native.engine.entities cimport BATCH, Datagram
from simplestchat._native.engine.output cimport OUT_SLOT, out_clear
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.testing.direct cimport connect_directly, direct_srtp
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, rtp_write_fixed

cdef enum:
    GCM_TAG = 16
    VIDEO_PT = 96
    AUDIO_PT = 111
    MAX_PAYLOAD = 1200
    MAX_PREPARED = 1 << 16
    TURN_US = 1000                 # a pace that one transport may have
    PORT = 10000

# A VP8 descriptor that begins a frame, then a keyframe's header of 640x480.
cdef bytes KEYFRAME = b"\x10\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"


@cython.final
cdef class Room:
    """`members` of one room, of whom the first `publishers` send packets of `payload` bytes.

    Members get every publisher's packets but their own; with `mutual` off, publishers get none.
    """

    cdef readonly int members
    cdef readonly int publishers
    cdef readonly int payload
    cdef Shard shard
    cdef SrtpContext* sealer
    cdef bint video
    cdef u64 index
    cdef us_t now
    cdef u8 plain[MAX_PAYLOAD]
    cdef Datagram* prepared
    cdef u8* bytes
    cdef u32 count                 # prepared datagrams
    cdef u32 turn                  # of these, in one turn

    def __cinit__(self, int members, int publishers, int payload, bint video, bint mutual):
        if not (0 < publishers <= members <= 8192 and len(KEYFRAME) <= payload <= MAX_PAYLOAD):
            raise ValueError("no such room")
        self.members, self.publishers, self.payload, self.video, self.index = members, publishers, payload, video, 1
        self.sealer = direct_srtp()
        memcpy(self.plain, <const char*>KEYFRAME, len(KEYFRAME))
        self.shard = Shard(1)
        self._fill(mutual)

    def __dealloc__(self):
        srtp_free(self.sealer)
        free(self.prepared)
        free(self.bytes)

    def _fill(self, bint mutual):
        payload_type = VIDEO_PT if self.video else AUDIO_PT
        codec = (VIDEO_PT, -1, 90000, "vp8", True, True, False) if self.video else (AUDIO_PT, -1, 48000, "opus", True, False, False)
        for member in range(self.members):
            self.shard.create_transport(1 + member)
            connect_directly(self.shard, self.shard._transport(1 + member), ("127.0.0.1", PORT + member, "127.0.0.1", 9), 0)
        for sender in range(self.publishers):
            self.shard.create_producer(1 + sender, 1 + sender, "video" if self.video else "audio", "", [(1 + sender, 0, "")], [codec], {})
            for member in range(0 if mutual else self.publishers, self.members):
                if member != sender:
                    self.shard.create_consumer(1 + sender * self.members + member, 1 + member, 1 + sender, 1000 + sender, 0,
                                               [(payload_type, 101, -1)], {}, "0", False)

    def prepare(self, int burst, int rounds):
        """Seals what the publishers send in `rounds` rounds: `burst` packets of each, one publisher after the other."""
        cdef u32 size = RTP_FIXED_SIZE + self.payload + GCM_TAG
        cdef u32 wanted = rounds * burst * self.publishers
        cdef u32 at = 0
        cdef int k, sender
        if not (1 <= burst <= BATCH and 1 <= wanted <= MAX_PREPARED):
            raise ValueError("too many packets")
        free(self.prepared)
        free(self.bytes)
        self.prepared = <Datagram*>calloc(wanted, sizeof(Datagram))
        self.bytes = <u8*>malloc(<size_t>wanted * size)
        if self.prepared == NULL or self.bytes == NULL:
            raise MemoryError
        self.count, self.turn = wanted, min(BATCH, burst * self.publishers)
        for _ in range(rounds):
            for sender in range(self.publishers):
                for k in range(burst):
                    self._seal(sender, self.index + k, self.bytes + <size_t>at * size)
                    self.prepared[at].data = self.bytes + <size_t>at * size
                    self.prepared[at].size = size
                    self.prepared[at].tuple = self.shard._transport(1 + sender).pairs[0].tuple
                    at += 1
            self.index += burst

    cdef void _seal(self, int sender, u64 index, u8* out) noexcept nogil:
        cdef u8 header[RTP_FIXED_SIZE]
        rtp_write_fixed(header, RTP_FIXED_SIZE, VIDEO_PT if self.video else AUDIO_PT, False, <u16>index, <u32>index * 3000, 1 + sender,
                        False, False)
        srtp_seal(self.sealer, index, header, RTP_FIXED_SIZE, NULL, 0, self.plain, self.payload, out, OUT_SLOT)

    def run(self):
        """Forwards what was prepared, turn by turn; the packets that were sealed for consumers."""
        cdef u64 before = self.shard.s.counters.forwarded
        cdef u32 at = 0
        cdef u32 end
        with nogil:
            while at < self.count:
                end = min(at + self.turn, self.count)
                while at < end:
                    at += self.shard.receive(&self.prepared[at], end - at, self.now)
                    while self.shard.flush(self.now):
                        out_clear(&self.shard.s.out)
                    out_clear(&self.shard.s.out)
                self.shard.s.done_count = 0
                self.now += TURN_US
        return self.shard.s.counters.forwarded - before
