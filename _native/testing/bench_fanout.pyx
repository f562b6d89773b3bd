"""What forwarding costs: one stream to many receivers over real loopback sockets, by the worker's own path.

It begins with a sealed datagram of the publisher and ends in the receivers' sockets. The CPU time of this thread alone counts. The
receivers never read: what does not fit their buffers is dropped by the kernel. The floor for the same sockets is in `testing/floor`.
"""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

import socket as python_socket

from simplestchat._native.core.types cimport US_PER_S, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SrtpContext, srtp_free, srtp_seal
from simplestchat._native.engine.entities cimport BATCH, Datagram
from simplestchat._native.engine.output cimport OUT_SLOT, out_clear
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.io.clock cimport cpu_ns
from simplestchat._native.io.udp cimport Udp, udp_close, udp_open, udp_port, udp_send
from simplestchat._native.testing.direct cimport connect_directly, direct_srtp
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, rtp_write_fixed

cdef enum:
    VIDEO_PT = 96
    PUBLISHER = 1
    PRODUCER = 1
    PUBLISHER_SSRC = 0x1234

# A VP8 descriptor that begins a frame, then a keyframe's header of 640x480.
cdef bytes KEYFRAME = b"\x10\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"


@cython.final
cdef class Fanout:
    """`receivers` sockets on loopback; `payload` bytes a packet, AES-128-GCM."""

    cdef readonly int receivers
    cdef readonly int payload
    cdef list sockets
    cdef Udp* udp
    cdef Shard shard
    cdef SrtpContext* publisher
    cdef u64 index
    cdef us_t now
    cdef u8* plain
    cdef u8 incoming[BATCH][OUT_SLOT]
    cdef Datagram batch[BATCH]

    def __cinit__(self, int receivers, int payload):
        self.receivers, self.payload, self.index = receivers, payload, 1
        self.udp = udp_open(0, -1, True)
        self.publisher = direct_srtp()
        self.plain = <u8*>calloc(1, payload)
        memcpy(self.plain, <const char*>KEYFRAME, len(KEYFRAME))
        self.sockets = [self._receiver() for _ in range(receivers)]
        self.shard = self._make_shard()

    def __dealloc__(self):
        udp_close(self.udp)
        srtp_free(self.publisher)
        free(self.plain)

    def close(self):
        """Closes the receivers' sockets."""
        for sink in self.sockets:
            sink.close()

    def addresses(self):
        """Where the receivers are: (host, port) of each."""
        return [sink.getsockname() for sink in self.sockets]

    def _receiver(self):
        sink = python_socket.socket(python_socket.AF_INET, python_socket.SOCK_DGRAM)
        sink.setsockopt(python_socket.SOL_SOCKET, python_socket.SO_RCVBUF, 1)
        sink.bind(("127.0.0.1", 0))
        return sink

    cdef Shard _make_shard(self):
        cdef Shard shard = Shard(1)
        cdef int i
        shard.create_transport(PUBLISHER)
        connect_directly(shard, shard._transport(PUBLISHER), ("127.0.0.1", 9, "127.0.0.1", udp_port(self.udp)), 0)
        self.batch[0].tuple = shard._transport(PUBLISHER).pairs[0].tuple
        shard.create_producer(PRODUCER, PUBLISHER, "video", "", [(PUBLISHER_SSRC, 0, "")],
                              [(VIDEO_PT, -1, 90000, "vp8", True, True, False)], {})
        for i, sink in enumerate(self.sockets):
            shard.create_transport(2 + i)
            address = ("127.0.0.1", sink.getsockname()[1], "127.0.0.1", udp_port(self.udp))
            connect_directly(shard, shard._transport(2 + i), address, 0)
            shard.create_consumer(1 + i, 2 + i, PRODUCER, 1000 + i, 0, [(VIDEO_PT, 101, -1)], {}, "0", False)
        return shard

    cdef void _seal_batch(self, int burst) noexcept nogil:
        """The publisher's next packets."""
        cdef u8 header[RTP_FIXED_SIZE]
        cdef int i
        for i in range(burst):
            rtp_write_fixed(header, RTP_FIXED_SIZE, VIDEO_PT, False, <u16>self.index, <u32>self.index * 3000, PUBLISHER_SSRC, False, False)
            self.batch[i].size = srtp_seal(self.publisher, self.index, header, RTP_FIXED_SIZE, NULL, 0, self.plain, self.payload,
                                           self.incoming[i], OUT_SLOT)
            self.batch[i].data = self.incoming[i]
            self.batch[i].tuple = self.batch[0].tuple
            self.index += 1

    def engine(self, int burst, int rounds):
        """(CPU ns per forwarded packet, packets forwarded) through the engine's own path."""
        cdef us_t spent = 0
        cdef us_t began
        cdef u64 before = self.shard.s.counters.forwarded
        cdef int i
        if not 1 <= burst <= BATCH:
            raise ValueError(f"burst {burst} is not between 1 and {BATCH}")
        with nogil:
            for i in range(rounds):
                self._seal_batch(burst)
                self.now += US_PER_S // 1000       # a pace that one transport may have
                began = cpu_ns()
                self.shard.receive(self.batch, burst, self.now)
                while self.shard.flush(self.now):
                    self._send()
                self._send()
                spent += cpu_ns() - began
        forwarded = self.shard.s.counters.forwarded - before
        return spent / <double>(forwarded or 1), forwarded

    cdef void _send(self) noexcept nogil:
        udp_send(self.udp, &self.shard.s.out, &self.shard.s.counters)
        out_clear(&self.shard.s.out)
