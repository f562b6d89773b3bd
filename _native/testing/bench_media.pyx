"""What synthetic media costs its generator: packets written by a sender, then checked and counted by many receivers, beside CRC32C alone."""

cimport cython

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset
from simplestchat._native.core.types cimport u8, u32, u64, us_t
from simplestchat._native.io.clock cimport cpu_ns
from simplestchat._native.peer.ledger cimport Ledger, ledger_free, ledger_new
from simplestchat._native.peer.payload cimport PAYLOAD_OPUS, PAYLOAD_VP8
from simplestchat._native.peer.receiver cimport Measures, Receiver, ReceiverTotals, receiver_free, receiver_new, receiver_packet, receiver_totals
from simplestchat._native.peer.sender cimport Outgoing, Sender, sender_free, sender_new, sender_next
from simplestchat._native.peer.settings cimport ReceiverSettings, SenderSettings
from simplestchat._native.peer.stamp cimport crc32c
from simplestchat._native.wire.rtp cimport RtpView, rtp_parse

cdef enum:
    SLOT = 1536
    MAX_PACKETS = 20000
    MAX_RECEIVERS = 4096

cdef struct Kept:
    u64 index
    us_t due_us
    u32 size
    u32 header_size


cdef void _settings(SenderSettings* s, ReceiverSettings* r, bint video, u32 bitrate_bps) noexcept:
    memset(s, 0, sizeof(SenderSettings))
    memset(r, 0, sizeof(ReceiverSettings))
    s.user = r.user = 1
    s.video = r.video = s.track = r.track = video
    s.codec = r.codec = PAYLOAD_VP8 if video else PAYLOAD_OPUS
    s.payload_type = r.payload_type = 96
    s.rtx_payload_type = r.rtx_payload_type = -1
    s.clock_rate = r.clock_rate = 90000 if video else 48000
    s.fps = 30
    s.max_payload = 1160
    s.talk = 1
    s.layer_count = 1
    s.layers[0].ssrc = r.ssrc = 1
    s.layers[0].bitrate_bps = bitrate_bps
    s.layers[0].width = 1280
    s.layers[0].height = 720


@cython.final
cdef class Media:
    """One publisher's stream, and the receivers that get all of it."""

    cdef Sender* sender
    cdef Ledger* ledger
    cdef Receiver** receivers
    cdef Measures measures
    cdef Kept* kept
    cdef u8* bytes
    cdef u32 count
    cdef us_t now

    def __cinit__(self, bint video, u32 bitrate_bps, u32 receivers):
        cdef SenderSettings settings
        cdef ReceiverSettings theirs
        cdef u32 i
        if not 1 <= receivers <= MAX_RECEIVERS:
            raise ValueError(f"1 to {MAX_RECEIVERS} receivers")
        _settings(&settings, &theirs, video, bitrate_bps)
        self.count = receivers
        self.sender = sender_new(&settings, 0)
        self.ledger = ledger_new(1)
        self.kept = <Kept*> malloc(MAX_PACKETS * sizeof(Kept))
        self.bytes = <u8*> malloc(<size_t> MAX_PACKETS * SLOT)
        self.receivers = <Receiver**> calloc(receivers, sizeof(Receiver*))
        memset(&self.measures, 0, sizeof(Measures))
        if not (self.sender and self.ledger and self.kept and self.bytes and self.receivers):
            raise MemoryError
        for i in range(receivers):
            self.receivers[i] = receiver_new(&theirs, 0)
            if self.receivers[i] is NULL:
                raise MemoryError

    def __dealloc__(self):
        cdef u32 i
        sender_free(self.sender)
        ledger_free(self.ledger)
        free(self.kept)
        free(self.bytes)
        for i in range(self.count if self.receivers is not NULL else 0):
            receiver_free(self.receivers[i])
        free(self.receivers)

    cdef u32 _write(self, us_t span) noexcept nogil:
        cdef Outgoing out
        cdef u32 n = 0
        self.now += span
        while n < MAX_PACKETS and sender_next(self.sender, self.now, &out):
            self.kept[n].index = out.index
            self.kept[n].due_us = out.due_us
            self.kept[n].size = out.size
            self.kept[n].header_size = out.header_size
            memcpy(self.bytes + <size_t> n * SLOT, out.data, out.size)
            n += 1
        return n

    cdef void _check(self, u32 packets) noexcept nogil:
        cdef RtpView view
        cdef const u8* data
        cdef u32 i, k
        for i in range(packets):
            data = self.bytes + <size_t> i * SLOT
            for k in range(self.count):
                rtp_parse(data, self.kept[i].size, &view)
                receiver_packet(self.receivers[k], data, self.kept[i].size, &view, self.kept[i].index, self.kept[i].due_us + 5000,
                                self.ledger, &self.measures)

    cdef u32 _sum(self, u32 packets) noexcept nogil:
        cdef u32 i, k, mixed = 0
        for i in range(packets):
            for k in range(self.count):
                mixed ^= crc32c(k, self.bytes + <size_t> i * SLOT + self.kept[i].header_size, self.kept[i].size - self.kept[i].header_size)
        return mixed

    def slice(self, us_t span):
        """The next ``span`` microseconds: CPU ns a packet of writing (once), of checking and of CRC32C alone (for each receiver)."""
        cdef us_t begun, wrote, checked, summed
        cdef u32 packets
        with nogil:
            begun = cpu_ns()
            packets = self._write(span)
            wrote = cpu_ns()
            self._check(packets)
            checked = cpu_ns()
            self._sum(packets)
            summed = cpu_ns()
        if packets == 0:
            raise ValueError("the span is too short")
        each = packets * self.count
        return (wrote - begun) / packets, (checked - wrote) / each, (summed - checked) / each

    def delivered(self):
        """Packets that all receivers together counted as delivered."""
        cdef ReceiverTotals totals
        cdef u64 delivered = 0
        cdef u32 i
        for i in range(self.count):
            receiver_totals(self.receivers[i], &totals)
            delivered += totals.delivered
        return delivered
