# One encoding of a published track: its packets, stamped and numbered, and what it keeps to send them again (RFC 4588).
#
# MID and RID (RFC 8843, RFC 8852) stand on its first ENCODING_NAMED packets, on all until the server was heard to report about it, on
# keyframes and on retransmissions. First indices are below 2**15, so that nobody guesses a wrong rollover.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t
from simplestchat._native.peer.encoder cimport VideoModel
from simplestchat._native.peer.scalability cimport SCALABILITY_MAX, PictureLayers
from simplestchat._native.peer.settings cimport LayerSettings, SenderSettings
from simplestchat._native.stream.cache cimport PacketCache
from simplestchat._native.stream.send cimport SendStats
from simplestchat._native.stream.sent cimport SentRing

cdef enum:
    ENCODING_BUFFER = 1536       # bytes of a packet, at most
    ENCODING_NAMED = 100
    ENCODING_MIN_PAYLOAD = 256   # so that half of one holds any prefix and a stamp
    ENCODING_MAX_PAYLOAD = 1350  # header extensions, RTX and a seal still fit a datagram

# A plaintext RTP packet that is to be sealed and sent.
cdef struct Outgoing:
    u8* data
    u32 size
    u32 header_size
    u64 index                    # 48-bit SRTP packet index under its SSRC
    u32 number_off               # where its transport-wide number is to be written, 0: nowhere
    us_t due_us

# The frame that all encodings of a track are at.
cdef struct Moment:
    us_t due_us
    us_t elapsed_us              # since the origin of the RTP clocks
    u32 frame                    # its number
    u8 forbidden                 # its packets are not for anybody
    u8 level                     # for the audio level extension (RFC 6464)

cdef struct Encoding:
    SendStats send
    SendStats rtx
    VideoModel models[SCALABILITY_MAX]   # of each spatial layer
    PictureLayers picture        # the present one
    PacketCache cache            # for retransmission; not there without RTX
    SentRing sent
    u32 cached_bps               # what the cache has room for
    u32 first_timestamp
    u32 counter                  # of the next stamp
    u8 active
    u8 wants_keyframe
    u8 heard                     # the server reported about it
    u8 two_byte                  # form of header extensions
    u8 keyframe                  # the present frame
    u8 silence
    u8 marker
    u8 spatial                   # layer of the present frame
    u8 spatial_active            # layers that are sent, 0 without layers
    u8 base_pictures             # of temporal layer 0, counted (TL0PICIDX)
    u32 key_picture              # number of the last keyframe
    u16 parts                    # of the present frame, 0 when it has none
    u16 part                     # next one
    u32 frame_size
    us_t keyframe_us             # due time of the last one, 0 when there was none
    us_t report_us               # when the next sender report is due, 0x7FFFFFFFFFFFFFFF before the first packet

# `layer` is its place in the settings. OK or E_NOMEM; encoding_free is right after both.
cdef int encoding_init(Encoding* e, const SenderSettings* settings, u8 layer, u64* random) noexcept nogil
# Another bitrate from the next frame on, where there are spatial layers that of the layer. Beyond what its cache was made for it gets a larger one, which is empty at first.
cdef void encoding_rate(Encoding* e, const SenderSettings* settings, u8 layer, u8 spatial, u32 bitrate_bps) noexcept nogil
cdef void encoding_free(Encoding* e) noexcept nogil
cdef size_t encoding_caches(const Encoding* e) noexcept nogil     # bytes
# A video's next picture begins, of which e.keyframe is known: its first frame is cut.
cdef void encoding_picture(Encoding* e, const SenderSettings* settings, u32 number) noexcept nogil
# The next frame has this many bytes of payload: how many packets that makes.
cdef void encoding_cut(Encoding* e, const SenderSettings* settings, u32 size) noexcept nogil
# The next part of the present frame, written to `buffer` (ENCODING_BUFFER bytes). There must be one.
cdef void encoding_write(Encoding* e, const SenderSettings* settings, u8 layer, const Moment* moment, us_t now, u8* buffer, Outgoing* out) noexcept nogil
# Packet `sequence` again over RTX, written to `buffer`: 1, or 0 when it is unknown or was resent too often.
cdef bint encoding_resend(Encoding* e, const SenderSettings* settings, u8 layer, u16 sequence, u8 level, us_t now, u8* buffer,
                          Outgoing* out) noexcept nogil
