# One published source: its encodings (one SSRC each, announced or learned from MID and RID), the packet cache that all its consumers
# share, and what is asked of the publisher: lost packets and keyframes.
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.engine.entities cimport Producer, ShardState, Source, Transport
from simplestchat._native.wire.rtp cimport RtpView

cdef enum:
    KEYFRAME_GAP_US = 500000       # least time between two requests to one source (docs/security.md row 36)
    KEYFRAME_RETRY_US = 1000000    # ask again when none came
    KEYFRAME_MAX_TRIES = 10
    LEVEL_SILENT = 127             # RFC 6464

# Linked to its transport; codecs, extensions and streams are filled in by the caller before the next turn. NULL without memory or past a cap.
cdef Producer* producer_new(ShardState* s, u32 id, Transport* t, bint video, u8 stream_count) noexcept nogil
# Frees its consumers too.
cdef void producer_free(ShardState* s, Producer* p) noexcept nogil
# Memory comes with its first packet.
cdef void producer_init_stream(Producer* p, u8 stream, u32 ssrc, u32 rtx_ssrc) noexcept nogil
# An RTP packet of a known source: authenticates it, stores it once, and queues it for every consumer (see fanout.pxd).
# Whether it was authentic and new.
cdef bint producer_receive(ShardState* s, Source* source, const u8* data, u32 size, const RtpView* view, us_t now) noexcept nogil
# The same for a packet that is already plain (the first of a learned source).
cdef void producer_store_plain(ShardState* s, Source* source, const u8* plain, u32 size, u64 index, us_t now) noexcept nogil
# Counts a packet that srtp_open refused with this status.
cdef void producer_count_refusal(ShardState* s, Transport* t, int status) noexcept nogil
# Asks the publisher for a keyframe now, or as soon as the limit allows.
cdef void producer_want_keyframe(ShardState* s, Producer* p, u8 stream, us_t now) noexcept nogil
# What is due towards the publisher: keyframe requests and NACKs. The next deadline.
cdef us_t producer_tick(ShardState* s, Producer* p, us_t now) noexcept nogil
