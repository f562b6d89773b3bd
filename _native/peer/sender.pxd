# A published track: a schedule of frames, the packets of each frame, retransmissions, sender reports. Open loop: what is due is due, however late.
#
# Audio: a packet each 20 ms, comfort noise while silent. Video: a frame each 1/fps s; sizes from a seeded model around the target
# bitrate (keyframes several times the mean, log-normal spread, the debt of a big frame paid back by the next ones);
# a keyframe first, on PLI/FIR (not within 300 ms of the last: then as soon as they are over) and never by itself. All packets of a
# frame are due at once. What falls due while nobody takes it piles up; while muted nothing does.
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.peer.encoder cimport TalkModel
from simplestchat._native.peer.encoding cimport ENCODING_BUFFER, Encoding, Moment, Outgoing
from simplestchat._native.peer.settings cimport PEER_MAX_LAYERS, SenderSettings
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo

cdef struct SenderTotals:
    u64 packets                    # media packets, first transmissions
    u64 bytes                      # of RTP payload
    u64 frames
    u64 keyframes
    u64 resent
    u64 nacks                      # packets asked for again
    u64 keyframe_requests
    u64 forbidden                  # packets sent with STAMP_FORBIDDEN
    u64 reported_lost              # cumulative loss on the way to the server, by its receiver reports
    u32 counters[3]                # next stamp counter of each encoding

# One track, all of its encodings. The fields are the module's own business.
cdef struct Sender:
    SenderSettings settings
    SenderTotals totals
    Encoding encodings[PEER_MAX_LAYERS]
    TalkModel talk
    Moment moment                  # the present frame
    us_t start_us                  # origin of the schedule and of the RTP clocks
    u64 tick                       # of the schedule: the next frame's
    u32 frames                     # number of the next frame
    u8 at                          # encoding whose packets are sent now; layer_count between frames
    u8 muted
    u8 forbidden
    u8 spoke                       # audio: the last packet was speech
    u8 buffer[ENCODING_BUFFER]

cdef Sender* sender_new(const SenderSettings* settings, us_t now) noexcept nogil      # NULL without memory or for impossible settings
cdef void sender_free(Sender* s) noexcept nogil
cdef us_t sender_deadline(const Sender* s) noexcept nogil
# The next packet due at `now`, 1, or 0 when there is none. `out.data` is valid until the next call.
cdef bint sender_next(Sender* s, us_t now, Outgoing* out) noexcept nogil
# Packet `sequence` of `ssrc` again, over RTX (without RTX: never). 1, or 0 when it is unknown, too old or was resent too often.
cdef bint sender_resend(Sender* s, u32 ssrc, u16 sequence, us_t now, Outgoing* out) noexcept nogil
# `ssrc` 0: of all its encodings.
cdef void sender_keyframe(Sender* s, u32 ssrc, us_t now) noexcept nogil
# Sender reports that are due: 1 and the report, 0 for none. At most one per encoding a second.
cdef bint sender_report(Sender* s, us_t now, u64 ntp_now, SenderInfo* out) noexcept nogil
cdef void sender_heard(Sender* s, const ReportBlock* block, u64 ntp_now, us_t now) noexcept nogil
# Audio: somebody talks from now on, or is silent, instead of what `talk` said; without effect on video.
cdef void sender_talk(Sender* s, bint talking, us_t now) noexcept nogil
# Muted: nothing is sent, or, with `forbidden`, packets go on with STAMP_FORBIDDEN for a server that must not forward them.
cdef void sender_mute(Sender* s, bint muted, bint forbidden, us_t now) noexcept nogil
# Which encodings are sent (a bit each), as the server's `producer.layers` asks; of a stream with spatial layers which of these.
cdef void sender_layers(Sender* s, u8 mask, us_t now) noexcept nogil
# The bitrate of an encoding, or of a spatial layer, from its next frame on. OK, or E_MALFORMED for one that cannot be.
cdef int sender_bitrate(Sender* s, u8 layer, u32 bitrate_bps) noexcept nogil
cdef void sender_totals(const Sender* s, SenderTotals* out) noexcept nogil
# Bytes of memory that it has, and of these of its retransmission caches.
cdef size_t sender_footprint(const Sender* s, size_t* caches) noexcept nogil
cdef const SenderSettings* sender_settings(const Sender* s) noexcept nogil
