"""What a crowd can carry: paths that are connected without a handshake, and a stub of a server that sends them all one video stream.

The stub seals and sends and does nothing else, so that it fits one core while the crowd has the other. Its packets are what a real
one's would be: stamped, described as VP8, sealed with AEAD_AES_128_GCM under an SSRC of each receiver's own.
"""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport E_STATE, OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls cimport dtls_free
from simplestchat._native.crypto.srtp cimport SrtpContext, srtp_free, srtp_seal
from simplestchat._native.io.clock cimport NS_PER_US, sleep_until_ns
from simplestchat._native.io.sockets cimport monotonic_us
from simplestchat._native.io.system cimport (
    AF_INET, getsockname, htons, iovec, mmsghdr, ntohs, sendmmsg, sockaddr, sockaddr_in,
)
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.path cimport PATH_CONNECTED
from simplestchat._native.peer.payload cimport PAYLOAD_MAX_PREFIX, PAYLOAD_VP8, PayloadFrame, payload_write
from simplestchat._native.peer.settings cimport TRACK_CAMERA
from simplestchat._native.peer.stamp cimport STAMP_KEYFRAME, STAMP_LAST, STAMP_SIZE, Stamp, stamp_write
from simplestchat._native.peer.swarm cimport Swarm
from simplestchat._native.testing.direct cimport direct_srtp
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, rtp_write_fixed

cdef enum:
    SEND_BATCH = 64
    SLOT = 1500
    FOREVER_US = 3600000000
    STUB_PT = 101
    STUB_SSRC = 1000000            # of the first receiver; the others follow
    STUB_USER = 1

VIDEO_PT = STUB_PT
FIRST_SSRC = STUB_SSRC
PUBLISHER = STUB_USER
CAMERA = TRACK_CAMERA


cdef Path* _path(Swarm swarm, u32 id) except NULL:
    cdef u64 value
    if not table64_get(&swarm.s.by_path, id, &value):
        raise MisuseError(f"there is no path {id}", E_STATE)
    return <Path*>value


def connect_directly(Swarm swarm, u32 path):
    """Brings a path to where ICE and DTLS would have, with the keys of `Stub`, and lets it ask for nothing but media."""
    cdef Path* p
    swarm.lock()
    try:
        p = _path(swarm, path)
        dtls_free(p.dtls)
        p.dtls = NULL
        p.send_srtp = direct_srtp()
        p.recv_srtp = direct_srtp()
        p.state = PATH_CONNECTED
        p.consenting = 1
        p.seeking = 0
        p.answered_us = p.check_us = monotonic_us() + FOREVER_US
        p.report_us = monotonic_us()
        swarm.s.connected += 1
    finally:
        swarm.unlock()


def local_port(Swarm swarm, u32 path):
    """The port of a path's socket, 0 while it has none."""
    cdef sockaddr_in name
    cdef unsigned int size = sizeof(name)
    swarm.lock()
    try:
        fd = _path(swarm, path).socket
        return ntohs(name.sin_port) if fd >= 0 and getsockname(fd, <sockaddr*>&name, &size) == 0 else 0
    finally:
        swarm.unlock()


@cython.final
cdef class Stub:
    """Sends frames of `parts` packets to each of `ports` on loopback, by the socket `fd`; `payload` bytes a packet."""

    cdef int fd
    cdef int receivers
    cdef int payload
    cdef int parts
    cdef SrtpContext* srtp
    cdef sockaddr_in* names
    cdef u8* plain                 # of a frame, SLOT bytes a part
    cdef u32 frame
    cdef u64 index
    cdef mmsghdr headers[SEND_BATCH]
    cdef iovec vectors[SEND_BATCH]
    cdef u8 sealed[SEND_BATCH][SLOT]
    cdef int queued
    cdef readonly u64 sent

    def __cinit__(self, int fd, list ports, int payload=1100, int parts=4):
        cdef int i
        if not STAMP_SIZE + PAYLOAD_MAX_PREFIX <= payload <= SLOT - 64 or parts < 1:
            raise ValueError(f"no frames of {parts} packets of {payload} bytes")
        self.fd, self.receivers, self.payload, self.parts = fd, len(ports), payload, parts
        self.srtp = direct_srtp()
        self.names = <sockaddr_in*>calloc(self.receivers, sizeof(sockaddr_in))
        self.plain = <u8*>calloc(parts, SLOT)
        for i, port in enumerate(ports):
            self.names[i].sin_family = AF_INET
            self.names[i].sin_port = htons(port)
            memcpy(&self.names[i].sin_addr, b"\x7f\0\0\1", 4)
        for i in range(SEND_BATCH):
            self.vectors[i].iov_base = self.sealed[i]
            self.headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in)
            self.headers[i].msg_hdr.msg_iov = &self.vectors[i]
            self.headers[i].msg_hdr.msg_iovlen = 1

    def __dealloc__(self):
        srtp_free(self.srtp)
        free(self.names)
        free(self.plain)

    def run(self, double seconds, double packets_per_second):
        """Open loop. How late the latest frame was begun, in microseconds."""
        cdef us_t began = monotonic_us()
        cdef double gap = self.parts * 1e6 / packets_per_second
        cdef u32 frames = <u32>(seconds * 1e6 / gap)
        cdef us_t latest = 0
        cdef us_t due
        cdef u32 i
        with nogil:
            for i in range(frames):
                due = began + <us_t>(i * gap)
                sleep_until_ns(due * NS_PER_US)
                latest = max(latest, monotonic_us() - due)
                self._send_frame(due)
        return latest

    cdef void _compose(self, us_t due) noexcept nogil:
        """A frame's plaintext payloads: a keyframe first, once a second about another one would be, were it asked for."""
        cdef PayloadFrame payload
        cdef Stamp stamp
        cdef int i, prefix
        for i in range(self.parts):
            memset(&payload, 0, sizeof(payload))
            payload.codec = PAYLOAD_VP8
            payload.keyframe = self.frame == 0
            payload.first = i == 0
            payload.last = i == self.parts - 1
            payload.width, payload.height = 1280, 720
            payload.picture_id = self.frame
            prefix = payload_write(self.plain + i * SLOT, SLOT, &payload)
            memset(&stamp, 0, sizeof(stamp))
            stamp.user, stamp.track = STUB_USER, TRACK_CAMERA
            stamp.flags = (STAMP_KEYFRAME if payload.keyframe else 0) | (STAMP_LAST if payload.last else 0)
            stamp.frame, stamp.part, stamp.parts = self.frame, <u16>i, <u16>self.parts
            stamp.counter = <u32>(self.index + i)
            stamp.sent_us = due
            stamp_write(self.plain + i * SLOT + prefix, self.payload - prefix, &stamp)

    cdef void _send_frame(self, us_t due) noexcept nogil:
        """Receiver by receiver, as the server forwards."""
        cdef u8 header[RTP_FIXED_SIZE]
        cdef int receiver, i
        self._compose(due)
        for receiver in range(self.receivers):
            for i in range(self.parts):
                rtp_write_fixed(header, RTP_FIXED_SIZE, STUB_PT, i == self.parts - 1, <u16>(self.index + i), self.frame * 3600,
                                STUB_SSRC + receiver, False, False)
                self.vectors[self.queued].iov_len = srtp_seal(
                    self.srtp, self.index + i, header, RTP_FIXED_SIZE, NULL, 0, self.plain + i * SLOT, self.payload,
                    self.sealed[self.queued], SLOT)
                self.headers[self.queued].msg_hdr.msg_name = &self.names[receiver]
                self.queued += 1
                if self.queued == SEND_BATCH:
                    self._flush()
        self._flush()
        self.index += self.parts
        self.frame += 1

    cdef void _flush(self) noexcept nogil:
        cdef int at = 0
        cdef int done
        while at < self.queued:
            done = sendmmsg(self.fd, &self.headers[at], self.queued - at, 0)
            self.sent += max(0, done)
            at += done if done > 0 else 1
        self.queued = 0
