# RFC 7983: which protocol a datagram speaks, told by its first bytes.
from simplestchat._native.core.types cimport u8

cdef enum PacketKind:
    KIND_UNKNOWN = 0
    KIND_STUN = 1
    KIND_DTLS = 2
    KIND_RTP = 3
    KIND_RTCP = 4    # RFC 5761 section 4: payload type 64..95 in the second byte, marker ignored

cdef inline PacketKind demux(const u8* data, size_t size) noexcept nogil:
    cdef u8 b
    if size < 1:
        return KIND_UNKNOWN
    b = data[0]
    if b <= 3:
        return KIND_STUN
    if 20 <= b <= 63:
        return KIND_DTLS
    if 128 <= b <= 191 and size >= 2:
        return KIND_RTCP if 64 <= (data[1] & 0x7F) <= 95 else KIND_RTP
    return KIND_UNKNOWN
