# One direction of one association: its keys, prepared, and what is remembered of the SRTCP packets that it opened.
# Only crypto/srtp, crypto/srtcp and tests look inside.
from simplestchat._native.core.types cimport u32, u64
from simplestchat._native.crypto.srtp_cipher cimport CipherHalf

cdef enum:
    SRTP_PACKET_MAX = 0xFFFF         # more than a UDP datagram holds
    SRTCP_WORDS = 2                  # SRTCP packets are few: a window of 128

# Replay state of one SRTCP sender.
cdef struct SrtcpSource:
    u32 ssrc
    u32 highest
    u64 used                         # when it was last heard, for the least recently used
    u64 window[SRTCP_WORDS]

cdef struct SrtpContext:
    CipherHalf rtp
    CipherHalf rtcp
    u64 key_id                       # tells keys apart for the taint check; no key can be had from it
    u64 clock                        # counts opened SRTCP packets
    SrtcpSource* sources
    u32 source_count
    u32 srtcp_next                   # index of the next SRTCP packet to seal
    u32 tag_size
    bint gcm
