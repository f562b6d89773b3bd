# One published video stream that is paced exactly, by a path whose handshake is over; see publisher.pyi.
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SrtpContext
from simplestchat._native.io.system cimport iovec, mmsghdr
from simplestchat._native.peer.swarm cimport Swarm

cdef enum:
    PUBLISHER_RING = 65536         # one place for each RTP sequence number
    PUBLISHER_BURST = 64           # packets that leave together at most
    PUBLISHER_SLOT = 1500

cdef class Publisher:
    cdef us_t sent_ns[PUBLISHER_RING]  # when a packet left, on the wall clock, by its sequence number
    cdef us_t ended_ns             # when the last packet of a run had left; 0 while it runs
    cdef Swarm swarm               # keeps the path, and with it the keys and the socket
    cdef SrtpContext* srtp
    cdef int fd
    cdef u32 ssrc
    cdef u8 payload_type
    cdef int payload
    cdef readonly u64 index        # of the next packet; its low 16 bits are the sequence number
    cdef u32 frame
    cdef u32 failed                # packets that the kernel would not take
    cdef mmsghdr headers[PUBLISHER_BURST]
    cdef iovec vectors[PUBLISHER_BURST]
    cdef u8 plain[PUBLISHER_SLOT]
    cdef u8 sealed[PUBLISHER_BURST][PUBLISHER_SLOT]

    cdef void _seal(self, int i, int parts, bint keyframe, us_t due_us) noexcept nogil
    cdef void _send(self, int count) noexcept nogil
    cdef us_t _pace(self, double gap_ns, double burst, int bursts) noexcept nogil
