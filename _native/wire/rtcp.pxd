# RTCP (RFC 3550, 4585, 5104, 5506 reduced size, REMB draft-alvestrand-rmcat-remb-03, transport-cc
# draft-holmer-rmcat-transport-wide-cc-extensions-01): walk a compound, read each packet's body, write each packet.
from simplestchat._native.core.types cimport i32, u8, u16, u32, u64

cdef enum:
    RTCP_SR = 200
    RTCP_RR = 201
    RTCP_SDES = 202
    RTCP_BYE = 203
    RTCP_APP = 204
    RTCP_RTPFB = 205
    RTCP_PSFB = 206
    RTCP_XR = 207
    RTPFB_NACK = 1
    RTPFB_TWCC = 15
    PSFB_PLI = 1
    PSFB_FIR = 4
    PSFB_AFB = 15       # REMB when the body says so
    RTCP_REMB_MAX_SSRCS = 64
    RTCP_NACK_MAX_ITEMS = 64

cdef struct RtcpView:
    u8 type
    u8 count             # report count, source count or feedback message type
    u16 off              # of the packet's first byte
    u16 size             # whole packet without padding
    u32 sender_ssrc      # the first SSRC of the packet, 0 when it has none
    u32 media_ssrc       # the second one of a feedback packet, else 0

# Walks a compound or reduced-size packet: *pos starts at 0. 1 = one more in out, 0 = end, < 0 = malformed.
cdef int rtcp_next(const u8* data, size_t size, size_t* pos, RtcpView* out) noexcept nogil

cdef struct SenderInfo:
    u32 ssrc
    u64 ntp
    u32 rtp_timestamp
    u32 packets
    u32 octets
cdef struct ReportBlock:
    u32 ssrc
    u8 fraction_lost
    i32 cumulative_lost  # 24-bit signed
    u32 highest_seq
    u32 jitter
    u32 lsr
    u32 dlsr
cdef struct NackItem:
    u16 pid
    u16 blp
cdef struct Remb:
    u64 bitrate_bps
    u8 ssrc_count
    u32 ssrcs[RTCP_REMB_MAX_SSRCS]

# Readers take the packet that `view` describes. OK or < 0, unless said otherwise.
cdef int rtcp_read_sr(const u8* data, const RtcpView* view, SenderInfo* out) noexcept nogil
# Block `index` of an SR or RR; E_SHORT when there is no such block.
cdef int rtcp_read_report(const u8* data, const RtcpView* view, u8 index, ReportBlock* out) noexcept nogil
# Number of NACK items written to out, at most cap.
cdef int rtcp_read_nack(const u8* data, const RtcpView* view, NackItem* out, size_t cap) noexcept nogil
# Number of (ssrc) entries of a FIR written to out; seqs[i] is the command sequence number.
cdef int rtcp_read_fir(const u8* data, const RtcpView* view, u32* out, u8* seqs, size_t cap) noexcept nogil
cdef int rtcp_read_remb(const u8* data, const RtcpView* view, Remb* out) noexcept nogil
# Number of SSRCs of a BYE, at most cap.
cdef int rtcp_read_bye(const u8* data, const RtcpView* view, u32* out, size_t cap) noexcept nogil
# CNAME of the first chunk: its offset in *off, its length returned; 0 when there is none.
cdef int rtcp_read_cname(const u8* data, const RtcpView* view, u16* off) noexcept nogil

# Writers return bytes written at `out`, or E_SPACE.
cdef int rtcp_write_sr(u8* out, size_t cap, const SenderInfo* info, const ReportBlock* blocks, u8 count) noexcept nogil
cdef int rtcp_write_rr(u8* out, size_t cap, u32 ssrc, const ReportBlock* blocks, u8 count) noexcept nogil
cdef int rtcp_write_sdes(u8* out, size_t cap, u32 ssrc, const u8* cname, u8 cname_len) noexcept nogil
cdef int rtcp_write_bye(u8* out, size_t cap, u32 ssrc) noexcept nogil
cdef int rtcp_write_nack(u8* out, size_t cap, u32 sender, u32 media, const NackItem* items, size_t count) noexcept nogil
cdef int rtcp_write_pli(u8* out, size_t cap, u32 sender, u32 media) noexcept nogil
cdef int rtcp_write_fir(u8* out, size_t cap, u32 sender, u32 media, u8 seq) noexcept nogil
cdef int rtcp_write_remb(u8* out, size_t cap, u32 sender, u64 bitrate_bps, const u32* ssrcs, u8 count) noexcept nogil
