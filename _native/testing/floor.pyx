"""The least that forwarding could cost: a bare loop that seals and sends, with no ingress, no routing and no state.

Receiver by receiver, a burst's packets are sealed back to back (twelve header bytes, one EVP seal with a prepared context) and
leave as one message, a train that the kernel cuts (UDP GSO); many messages leave with one `sendmmsg`, by a plain IPv4 socket. What a
server needs beyond that is its own doing. All figures are CPU time of the calling thread.
"""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

import os
import socket as python_socket

from simplestchat._native.core.bytes cimport put32
from simplestchat._native.core.types cimport u16, u32, u8, us_t
from simplestchat._native.crypto.openssl cimport (
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG, EVP_EncryptFinal_ex,
    EVP_EncryptInit_ex, EVP_EncryptUpdate, EVP_aes_128_gcm,
)
from simplestchat._native.io.clock cimport NS_PER_S, clock_ns, cpu_ns, sleep_until_ns
from simplestchat._native.io.system cimport (
    AF_INET, CLOCK_MONOTONIC, CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_SPACE, EINTR, PR_GET_TIMERSLACK, PR_SET_TIMERSLACK, SO_SNDBUF,
    SO_SNDBUFFORCE, SOL_SOCKET, SOL_UDP, UDP_SEGMENT, cmsghdr, errno, htons, iovec, mmsghdr, msghdr, prctl, sendmmsg, setsockopt,
    sockaddr_in,
)
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE

cdef enum:
    GCM_IV = 12
    GCM_TAG = 16
    CALL_PACKETS = 128             # sealed before one sendmmsg takes them; fewer cost more calls, more gain nothing
    TRAIN_PACKETS = 64             # UDP_MAX_SEGMENTS of Linux
    TRAIN_BYTES = 65507
    ARENA_PACKETS = CALL_PACKETS + TRAIN_PACKETS
    CONTROL_SIZE = 32
    SEND_BUFFER = 8388608

cdef const u8* KEY = b"0123456789abcdef"
cdef const u8* SALT = b"salt-of-test"


@cython.final
cdef class Floor:
    """Sends packets of `payload` bytes to `receivers`, AES-128-GCM; see floor.pyi."""

    cdef readonly int receivers
    cdef readonly int payload
    cdef readonly int port
    cdef object socket
    cdef int fd
    cdef int size                  # of a sealed packet
    cdef u32 sequence
    cdef int failure               # errno of a message that did not leave
    cdef u8* plain
    cdef u8* arena
    cdef EVP_CIPHER_CTX** contexts
    cdef sockaddr_in* names
    cdef int messages              # queued
    cdef int packets               # in them
    cdef mmsghdr headers[CALL_PACKETS]
    cdef iovec vectors[CALL_PACKETS]
    cdef u8 control[CALL_PACKETS][CONTROL_SIZE]

    def __cinit__(self, list receivers, int payload=1100):
        cdef int buffer = SEND_BUFFER
        if not receivers or not 1 <= payload <= 1400:
            raise ValueError(f"nothing to send to {len(receivers)} receivers, {payload} bytes each")
        self.receivers, self.payload, self.size = len(receivers), payload, RTP_FIXED_SIZE + payload + GCM_TAG
        self.plain = <u8*>calloc(1, payload)
        self.arena = <u8*>calloc(ARENA_PACKETS, self.size)
        self.contexts = <EVP_CIPHER_CTX**>calloc(self.receivers, sizeof(EVP_CIPHER_CTX*))
        self.names = <sockaddr_in*>calloc(self.receivers, sizeof(sockaddr_in))
        if self.plain == NULL or self.arena == NULL or self.contexts == NULL or self.names == NULL:
            raise MemoryError
        for i, (host, port) in enumerate(receivers):
            self.names[i].sin_family = AF_INET
            self.names[i].sin_port = htons(port)
            address = python_socket.inet_aton(host)
            memcpy(&self.names[i].sin_addr, <const char*>address, 4)
            self.contexts[i] = EVP_CIPHER_CTX_new()
            EVP_EncryptInit_ex(self.contexts[i], EVP_aes_128_gcm(), NULL, KEY, NULL)
        self.socket = python_socket.socket(python_socket.AF_INET, python_socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port, self.fd = self.socket.getsockname()[1], self.socket.fileno()
        if setsockopt(self.fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) != 0:
            setsockopt(self.fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer))

    def __dealloc__(self):
        cdef int i
        if self.contexts != NULL:
            for i in range(self.receivers):
                EVP_CIPHER_CTX_free(self.contexts[i])
        free(self.plain)
        free(self.arena)
        free(self.contexts)
        free(self.names)

    def close(self):
        """Closes the socket."""
        self.socket.close()

    def saturated(self, int burst, int rounds):
        """CPU ns a packet, one burst after the other."""
        cdef us_t began
        cdef int i
        self._check(burst)
        with nogil:
            began = cpu_ns()
            for i in range(rounds):
                self._send_burst(burst)
            began = cpu_ns() - began
        self._tell_failure()
        return began / <double>(rounds * burst * self.receivers)

    def sealed(self, int burst, int rounds):
        """CPU ns a packet of sealing alone, in the same order; nothing is sent."""
        cdef us_t began
        cdef int i, receiver, k
        cdef int at = 0
        self._check(burst)
        with nogil:
            began = cpu_ns()
            for i in range(rounds):
                for receiver in range(self.receivers):
                    at = at if at < CALL_PACKETS else 0
                    for k in range(burst):
                        self._seal(receiver, self.sequence + k, self.arena + (at + k) * self.size)
                    at += burst
                self.sequence += burst
            began = cpu_ns() - began
        return began / <double>(rounds * burst * self.receivers)

    def paced(self, double rate, double burst, double seconds):
        """(CPU ns a packet, packets to each receiver, ns that each burst took), asleep between bursts."""
        cdef int bursts = <int>(rate / burst * seconds + 1e-6)
        cdef us_t* spans = <us_t*>calloc(max(1, bursts), sizeof(us_t))
        cdef us_t cpu
        if spans == NULL:
            raise MemoryError
        try:
            self._check(<int>burst + 1)
            if bursts < 1:
                raise ValueError("that is no burst at all")
            cpu = self._pace(NS_PER_S * burst / rate, burst, bursts, spans)
            self._tell_failure()
            packets = <long>(bursts * burst + 1e-6)
            return cpu / <double>(packets * self.receivers), packets, [spans[i] for i in range(bursts)]
        finally:
            free(spans)

    cdef us_t _pace(self, double gap_ns, double burst, int bursts, us_t* spans):
        """CPU ns of all bursts. One that is not whole now has a packet less, now one more, so that the rate is right."""
        cdef int slack = prctl(PR_GET_TIMERSLACK)
        cdef us_t start = clock_ns(CLOCK_MONOTONIC) + <us_t>gap_ns
        cdef us_t began, cpu
        cdef int i
        prctl(PR_SET_TIMERSLACK, 1)
        with nogil:
            cpu = cpu_ns()
            for i in range(bursts):
                sleep_until_ns(start + <us_t>(i * gap_ns))
                began = clock_ns(CLOCK_MONOTONIC)
                self._send_burst(<int>((i + 1) * burst + 1e-6) - <int>(i * burst + 1e-6))
                spans[i] = clock_ns(CLOCK_MONOTONIC) - began
            cpu = cpu_ns() - cpu
        prctl(PR_SET_TIMERSLACK, slack)
        return cpu

    cdef int _check(self, int burst) except -1:
        if not 1 <= burst <= TRAIN_PACKETS or burst * self.size > TRAIN_BYTES:
            raise ValueError(f"no train holds {burst} packets of {self.size} bytes")
        self.failure = 0
        return 0

    cdef int _tell_failure(self) except -1:
        if self.failure:
            raise OSError(self.failure, os.strerror(self.failure))
        return 0

    cdef void _send_burst(self, int burst) noexcept nogil:
        cdef int receiver, k
        cdef u8* out
        for receiver in range(self.receivers):
            out = self.arena + self.packets * self.size
            for k in range(burst):
                self._seal(receiver, self.sequence + k, out + k * self.size)
            self._queue(receiver, out, burst)
            if self.packets >= CALL_PACKETS:
                self._flush()
        self._flush()
        self.sequence += burst

    cdef void _seal(self, int receiver, u32 sequence, u8* out) noexcept nogil:
        cdef EVP_CIPHER_CTX* ctx = self.contexts[receiver]
        cdef u8 iv[GCM_IV]
        cdef int size = 0
        memcpy(iv, SALT, GCM_IV)
        put32(iv + 8, sequence)
        put32(out, 0x80650000U | (sequence & 0xFFFF))
        put32(out + 4, sequence)
        put32(out + 8, receiver)
        EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv)
        EVP_EncryptUpdate(ctx, NULL, &size, out, RTP_FIXED_SIZE)
        EVP_EncryptUpdate(ctx, out + RTP_FIXED_SIZE, &size, self.plain, self.payload)
        EVP_EncryptFinal_ex(ctx, out + RTP_FIXED_SIZE + size, &size)
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, out + RTP_FIXED_SIZE + self.payload)

    cdef void _queue(self, int receiver, u8* train, int burst) noexcept nogil:
        cdef msghdr* message = &self.headers[self.messages].msg_hdr
        cdef cmsghdr* header
        cdef u16 segment = <u16>self.size
        self.vectors[self.messages].iov_base = train
        self.vectors[self.messages].iov_len = burst * self.size
        memset(message, 0, sizeof(msghdr))
        message.msg_name = &self.names[receiver]
        message.msg_namelen = sizeof(sockaddr_in)
        message.msg_iov = &self.vectors[self.messages]
        message.msg_iovlen = 1
        if burst > 1:
            message.msg_control = self.control[self.messages]
            message.msg_controllen = CMSG_SPACE(sizeof(u16))
            header = CMSG_FIRSTHDR(message)
            header.cmsg_level = SOL_UDP
            header.cmsg_type = UDP_SEGMENT
            header.cmsg_len = CMSG_LEN(sizeof(u16))
            memcpy(CMSG_DATA(header), &segment, sizeof(u16))
        self.messages += 1
        self.packets += burst

    cdef void _flush(self) noexcept nogil:
        cdef int sent = 0
        cdef int done
        while sent < self.messages:
            done = sendmmsg(self.fd, &self.headers[sent], self.messages - sent, 0)
            if done > 0:
                sent += done
            elif errno != EINTR:
                self.failure = errno
                sent += 1
        self.messages = self.packets = 0
