"""What forwarding costs, beside the least that it could: one stream to many receivers over real loopback sockets.

Floor: for every receiver and packet, twelve header bytes, one EVP seal with a prepared context, and `sendmmsg`: no routing, no
state, no control messages. Engine: the worker's own path, from a sealed datagram of the publisher to the same sockets.
Both count the CPU time of this thread alone. The receivers never read: what does not fit their buffers is dropped by the kernel,
in both runs alike.
"""

cimport cython
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

import socket as python_socket

from simplestchat._native.core.bytes cimport put32
from simplestchat._native.core.types cimport US_PER_S, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.openssl cimport (
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG, EVP_EncryptFinal_ex,
    EVP_EncryptInit_ex, EVP_EncryptUpdate, EVP_aes_128_gcm,
)
from simplestchat._native.crypto.srtp cimport SrtpContext, srtp_free, srtp_seal
from simplestchat._native.engine.entities cimport BATCH, Datagram
from simplestchat._native.engine.output cimport OUT_PACKETS, OUT_SLOT, out_clear
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.io.system cimport (
    AF_INET, clock_gettime, htons, iovec, mmsghdr, msghdr, sendmmsg, sockaddr_in, timespec,
)
from simplestchat._native.io.udp cimport Udp, udp_close, udp_open, udp_port, udp_send
from simplestchat._native.testing.direct cimport connect_directly, direct_srtp
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, rtp_write_fixed

cdef extern from "<time.h>" nogil:
    int CLOCK_THREAD_CPUTIME_ID

cdef enum:
    GCM_IV = 12
    GCM_TAG = 16
    VIDEO_PT = 96
    PUBLISHER = 1
    PRODUCER = 1
    PUBLISHER_SSRC = 0x1234

cdef const u8* KEY = b"0123456789abcdef"
cdef const u8* SALT = b"salt-of-test"
# A VP8 descriptor that begins a frame, then a keyframe's header of 640x480.
cdef bytes KEYFRAME = b"\x10\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"


cdef us_t _cpu_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return <us_t>now.tv_sec * 1000000000 + now.tv_nsec


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
    cdef EVP_CIPHER_CTX** contexts
    cdef sockaddr_in* names
    cdef mmsghdr headers[OUT_PACKETS]
    cdef iovec vectors[OUT_PACKETS]
    cdef u8* arena
    cdef u8 incoming[BATCH][OUT_SLOT]
    cdef Datagram batch[BATCH]

    def __cinit__(self, int receivers, int payload):
        self.receivers, self.payload, self.index = receivers, payload, 1
        self.udp = udp_open(0, -1, True)
        self.publisher = direct_srtp()
        self.plain = <u8*>calloc(1, payload)
        self.arena = <u8*>malloc(OUT_PACKETS * OUT_SLOT)
        self.contexts = <EVP_CIPHER_CTX**>calloc(receivers, sizeof(EVP_CIPHER_CTX*))
        self.names = <sockaddr_in*>calloc(receivers, sizeof(sockaddr_in))
        memcpy(self.plain, <const char*>KEYFRAME, len(KEYFRAME))
        self.sockets = [self._receiver(i) for i in range(receivers)]
        self.shard = self._make_shard()

    def __dealloc__(self):
        cdef int i
        for i in range(self.receivers):
            EVP_CIPHER_CTX_free(self.contexts[i])
        udp_close(self.udp)
        srtp_free(self.publisher)
        free(self.plain)
        free(self.arena)
        free(self.contexts)
        free(self.names)

    def close(self):
        """Closes the receivers' sockets."""
        for sink in self.sockets:
            sink.close()

    def _receiver(self, int i):
        sink = python_socket.socket(python_socket.AF_INET, python_socket.SOCK_DGRAM)
        sink.setsockopt(python_socket.SOL_SOCKET, python_socket.SO_RCVBUF, 1)
        sink.bind(("127.0.0.1", 0))
        self.names[i].sin_family = AF_INET
        self.names[i].sin_port = htons(sink.getsockname()[1])
        memcpy(&self.names[i].sin_addr, b"\x7f\0\0\1", 4)
        self.contexts[i] = EVP_CIPHER_CTX_new()
        EVP_EncryptInit_ex(self.contexts[i], EVP_aes_128_gcm(), NULL, KEY, NULL)
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
                began = _cpu_ns()
                self.shard.receive(self.batch, burst, self.now)
                while self.shard.flush(self.now):
                    self._send()
                self._send()
                spent += _cpu_ns() - began
        forwarded = self.shard.s.counters.forwarded - before
        return spent / <double>(forwarded or 1), forwarded

    cdef void _send(self) noexcept nogil:
        udp_send(self.udp, &self.shard.s.out, &self.shard.s.counters)
        out_clear(&self.shard.s.out)

    cdef void _seal_raw(self, int receiver, u8* out, u32 sequence) noexcept nogil:
        cdef EVP_CIPHER_CTX* ctx = self.contexts[receiver]
        cdef u8 iv[GCM_IV]
        cdef int size = 0
        memcpy(iv, SALT, GCM_IV)
        put32(iv + 8, sequence)
        memcpy(out, b"\x80\x65\0\0\0\0\0\0\0\0\0\0", RTP_FIXED_SIZE)
        put32(out + 8, receiver)
        EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv)
        EVP_EncryptUpdate(ctx, NULL, &size, out, RTP_FIXED_SIZE)
        EVP_EncryptUpdate(ctx, out + RTP_FIXED_SIZE, &size, self.plain, self.payload)
        EVP_EncryptFinal_ex(ctx, out + RTP_FIXED_SIZE + size, &size)
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, out + RTP_FIXED_SIZE + self.payload)

    def floor(self, int burst, int rounds):
        """(CPU ns per packet, packets sent) of sealing and sending alone, in the engine's order: receiver by receiver."""
        cdef us_t spent = 0
        cdef us_t began
        cdef int i, k, receiver
        cdef int queued = 0
        cdef msghdr* message
        # A socket of its own: the engine's is IPv6 with mapped addresses, the floor a plain IPv4 one.
        own = python_socket.socket(python_socket.AF_INET, python_socket.SOCK_DGRAM)
        cdef int fd = own.fileno()
        with nogil:
            for i in range(rounds):
                began = _cpu_ns()
                for receiver in range(self.receivers):
                    for k in range(burst):
                        self.vectors[queued].iov_base = self.arena + queued * OUT_SLOT
                        self.vectors[queued].iov_len = RTP_FIXED_SIZE + self.payload + GCM_TAG
                        self._seal_raw(receiver, self.arena + queued * OUT_SLOT, i * burst + k)
                        message = &self.headers[queued].msg_hdr
                        message.msg_name = &self.names[receiver]
                        message.msg_namelen = sizeof(sockaddr_in)
                        message.msg_iov = &self.vectors[queued]
                        message.msg_iovlen = 1
                        queued += 1
                        if queued == OUT_PACKETS:
                            _send_all(fd, self.headers, queued)
                            queued = 0
                _send_all(fd, self.headers, queued)
                queued = 0
                spent += _cpu_ns() - began
        own.close()
        total = rounds * burst * self.receivers
        return spent / total, total


cdef void _send_all(int fd, mmsghdr* headers, int count) noexcept nogil:
    cdef int sent = 0
    cdef int done
    while sent < count:
        done = sendmmsg(fd, &headers[sent], count - sent, 0)
        sent += done if done > 0 else 1
