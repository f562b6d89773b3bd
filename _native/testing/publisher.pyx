"""One published video stream that is paced exactly; its packets are stamped as a synthetic user's are, so that receivers can check them."""

cimport cython
from libc.string cimport memset

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport E_STATE, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SRTP_MAX_OVERHEAD, srtp_seal
from simplestchat._native.io.clock cimport NS_PER_S, clock_ns, sleep_until_ns
from simplestchat._native.io.system cimport (
    CLOCK_MONOTONIC, CLOCK_REALTIME, EINTR, PR_GET_TIMERSLACK, PR_SET_TIMERSLACK, errno, prctl, sendmmsg,
)
from simplestchat._native.peer.entities cimport PEER_NEVER_US, Path
from simplestchat._native.peer.path cimport PATH_CONNECTED
from simplestchat._native.peer.payload cimport PAYLOAD_MAX_PREFIX, PAYLOAD_VP8, PayloadFrame, payload_write
from simplestchat._native.peer.settings cimport TRACK_CAMERA
from simplestchat._native.peer.stamp cimport STAMP_KEYFRAME, STAMP_LAST, STAMP_SIZE, Stamp, stamp_write
from simplestchat._native.peer.swarm cimport Swarm
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, rtp_write_fixed

cdef enum:
    FIRST_INDEX = 1000             # below 2^15, as RFC 3711 wants first sequence numbers
    STAMP_USER = 1

USER = STAMP_USER
TRACK = TRACK_CAMERA


@cython.final
cdef class Publisher:
    """See publisher.pyi."""

    def __cinit__(self, Swarm swarm not None, u32 path, u32 ssrc, int payload_type, int payload=1100):
        cdef u64 value
        cdef Path* p
        cdef int i
        if not STAMP_SIZE + PAYLOAD_MAX_PREFIX <= payload <= PUBLISHER_SLOT - RTP_FIXED_SIZE - SRTP_MAX_OVERHEAD:
            raise ValueError(f"no packets of {payload} bytes")
        self.swarm, self.ssrc, self.payload_type, self.payload, self.index = swarm, ssrc, payload_type, payload, FIRST_INDEX
        swarm.lock()
        try:
            if not table64_get(&swarm.s.by_path, path, &value) or (<Path*>value).state != PATH_CONNECTED:
                raise MisuseError(f"path {path} is not connected", E_STATE)
            p = <Path*>value
            # Its keys are this thread's from now on: the swarm sends no reports with them.
            p.report_us = p.feedback_us = PEER_NEVER_US
            self.srtp, self.fd = p.send_srtp, p.socket
        finally:
            swarm.unlock()
        for i in range(PUBLISHER_BURST):
            self.vectors[i].iov_base = self.sealed[i]
            self.headers[i].msg_hdr.msg_iov = &self.vectors[i]
            self.headers[i].msg_hdr.msg_iovlen = 1

    def run(self, double rate, double burst, double seconds):
        """Packets sent, and how late the latest burst left, in microseconds."""
        cdef int bursts = <int>(rate / burst * seconds + 1e-6)
        cdef u64 before = self.index
        cdef int slack = prctl(PR_GET_TIMERSLACK)
        cdef us_t latest
        if not 1 <= burst <= PUBLISHER_BURST - 1 or bursts < 1:
            raise ValueError(f"no bursts of {burst} packets, {rate} in a second, for {seconds} s")
        self.failed = 0
        self.ended_ns = 0
        prctl(PR_SET_TIMERSLACK, 1)
        with nogil:
            latest = self._pace(NS_PER_S * burst / rate, burst, bursts)
        prctl(PR_SET_TIMERSLACK, slack)
        if self.failed:
            raise OSError(f"{self.failed} packets did not leave")
        return self.index - before, latest // 1000

    cdef us_t _pace(self, double gap_ns, double burst, int bursts) noexcept nogil:
        """What leaves next is sealed before the sleep."""
        cdef us_t start = clock_ns(CLOCK_MONOTONIC) + min(<us_t>gap_ns, <us_t>(NS_PER_S // 100))
        cdef us_t latest = 0
        cdef us_t due
        cdef int i, k, count
        for i in range(bursts):
            due = start + <us_t>(i * gap_ns)
            count = <int>((i + 1) * burst + 1e-6) - <int>(i * burst + 1e-6)
            for k in range(count):
                self._seal(k, count, i == 0, due // 1000)
            sleep_until_ns(due)
            self._send(count)
            latest = max(latest, clock_ns(CLOCK_MONOTONIC) - due)
            self.frame += 1
        self.ended_ns = clock_ns(CLOCK_REALTIME)
        return latest

    cdef void _seal(self, int i, int parts, bint keyframe, us_t due_us) noexcept nogil:
        cdef u8 header[RTP_FIXED_SIZE]
        cdef PayloadFrame payload
        cdef Stamp stamp
        cdef u64 index = self.index + i
        cdef bint last = i == parts - 1
        cdef int prefix
        memset(&payload, 0, sizeof(payload))
        payload.codec, payload.keyframe, payload.first, payload.last = PAYLOAD_VP8, keyframe, i == 0, last
        payload.width, payload.height, payload.picture_id = 1280, 720, self.frame
        prefix = payload_write(self.plain, PUBLISHER_SLOT, &payload)
        memset(&stamp, 0, sizeof(stamp))
        stamp.user, stamp.track = STAMP_USER, TRACK_CAMERA
        stamp.flags = (STAMP_KEYFRAME if keyframe else 0) | (STAMP_LAST if last else 0)
        stamp.frame, stamp.part, stamp.parts = self.frame, <u16>i, <u16>parts
        stamp.counter = <u32>(index - FIRST_INDEX)
        stamp.sent_us = due_us
        stamp_write(self.plain + prefix, self.payload - prefix, &stamp)
        rtp_write_fixed(header, RTP_FIXED_SIZE, self.payload_type, last, <u16>index, <u32>(due_us * 9 // 100), self.ssrc, False, False)
        self.vectors[i].iov_len = srtp_seal(self.srtp, index, header, RTP_FIXED_SIZE, NULL, 0, self.plain, self.payload,
                                            self.sealed[i], PUBLISHER_SLOT)

    cdef void _send(self, int count) noexcept nogil:
        """All packets of a burst are said to have left when its first one did."""
        cdef us_t now = clock_ns(CLOCK_REALTIME)
        cdef int sent = 0
        cdef int done, k
        for k in range(count):
            self.sent_ns[(self.index + k) & (PUBLISHER_RING - 1)] = now
        self.index += count
        while sent < count:
            done = sendmmsg(self.fd, &self.headers[sent], count - sent, 0)
            if done > 0:
                sent += done
            elif errno != EINTR:
                self.failed += 1
                sent += 1
