# A subscribed track: every packet is checked against its stamp; what is missing is asked for, told by hop, and counted once.
#
# Rules of the count:
#  - It begins with the first packet that arrives (video: of a keyframe) and ends where receiver_end says, or at the highest counter seen.
#    Packets of the same beginning that come a little later (at most TALLY_BACK counters before) belong to it.
#  - A packet counts once: delivered (late repair included), else lost when LEDGER_SETTLE_US have passed since it was noticed missing.
#    What comes later still stays lost. At receiver_close, which makes the totals final, it is lost at once: all of it when the end was
#    told, else what was noticed missing RECEIVER_FLIGHT_US before (rounded up to a slot of the tally); what is younger may be under way
#    and is neither lost nor missed. delivered + lost + what is not settled = counters from the first to the highest.
#  - missed: noticed missing, and not merely late: lost + repaired + what is not settled.
#  - Each encoding has counters of its own: at a switch the count goes on at the new one's packet, and nothing of either is lost by it.
#    Of RECEIVER_RUNS such runs the oldest is settled when another begins.
#  - withheld: what the server left out and closed the gap of: counters go missing, numbers on the wire do not. At a keyframe (video) or at
#    any packet (audio) the count goes on behind it in a run of its own; elsewhere it is loss. Where numbers are missing as well, so many
#    of the last counters before it are missing, and the others withheld.
#  - A stream with layers in it counts by the numbers on the wire, because a server leaves layers out and closes the gap: what it leaves
#    out is not missing. Hops cannot be told then (lost_uplink stays as it is), and highest_counter is such a number.
#  - misdelivered: another user's or track's stamp, a FORBIDDEN one, or one that was due after the stream was closed to us.
#  - corrupt: no whole stamp, a wrong CRC, a payload type or descriptor that cannot be or that tells another story than the stamp
#    (which leaves out the picture's number and size). Whose it was cannot be known, so its packet is missing too.
#  - A frame counts when all of its parts came; it is shown when it is a keyframe or its predecessor was shown.
#  - freeze (W3C webrtc-stats freezeCount): no frame shown for max(3 * mean interval, mean interval + 150 ms); also one that lasts at the end.
from simplestchat._native.core.histogram cimport Histogram
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.peer.frames cimport Frames
from simplestchat._native.peer.ledger cimport Ledger
from simplestchat._native.peer.pictures cimport Pictures
from simplestchat._native.peer.settings cimport ReceiverSettings
from simplestchat._native.peer.tally cimport Tally, TallyLosses
from simplestchat._native.stream.nack cimport NackList
from simplestchat._native.stream.recv cimport RecvStats
from simplestchat._native.wire.rtcp cimport NackItem, ReportBlock, SenderInfo
from simplestchat._native.wire.rtp cimport RtpView

cdef struct ReceiverTotals:
    u64 packets                    # RTP packets, repairs included
    u64 bytes                      # of RTP payload
    u64 delivered                  # distinct packets of the expected stream
    u64 lost                       # after repair
    u64 lost_uplink                # of these: nobody got them
    u64 withheld                   # left out by the server
    u64 missed                     # packets that were missing when first noticed, repaired ones included: loss before repair
    u64 repaired                   # came by retransmission: over RTX, or without RTX after we asked
    u64 duplicate                  # came twice, but for what is ...
    u64 repeated                   # by RTX although it had come: a probe, or an answer that was no longer needed
    u64 corrupt
    u64 reordered                  # came after a later one, first transmissions only
    u64 misdelivered
    u64 frames                     # shown
    u64 frames_broken              # begun and never whole, or whole and not decodable
    u64 keyframes
    u64 freezes
    u64 freeze_us
    u64 nacks                      # packets asked for again
    u64 keyframe_requests
    u64 latency_us                 # due to arrival, summed over what was delivered
    u32 jitter_us                  # RFC 3550, now
    us_t first_packet_us           # arrival of the first stamped packet, since made or resumed; 0 until there is one
    us_t first_frame_us            # likewise of the first whole keyframe (audio: first packet)
    us_t last_packet_us
    u32 highest_counter
    u16 layers                     # that are shown of a video: encoding or spatial layer << 8 | temporal layer; 0xFFFF: none yet
    u16 width                      # of the picture, 0: not known
    u16 height

# What all receivers of a swarm add their measurements to.
cdef struct Measures:
    Histogram latency_audio        # due to arrival, us
    Histogram latency_video
    Histogram jitter               # change of transit between neighbours, us
    Histogram frame_latency        # due to whole

cdef enum:
    RECEIVER_FLIGHT_US = 500000    # a packet may be under way, repairs included
    RECEIVER_RUNS = 3              # the present run of an encoding's packets, and two before it that late packets may belong to

# The fields are the module's own business.
cdef struct Receiver:
    ReceiverSettings settings
    ReceiverTotals totals
    RecvStats stats
    Frames frames
    Tally tallies[RECEIVER_RUNS]
    TallyLosses losses
    NackList* nack               # made at the first gap
    Pictures* pictures           # of a stream with layers in it
    u64 who                      # the publisher as the ledger knows it
    u64 highest                  # sequence index of the media, valid when sequenced
    u64 wire                     # sequence index of the present run's highest packet
    us_t since_us                # made or resumed
    us_t ended_us
    us_t asked_us                # last keyframe request, 0x7FFFFFFFFFFFFFFF when there was none
    us_t transit_us              # of the packet before, for jitter
    u8 last                      # the tally that was begun last
    u8 sequenced
    u8 ended
    u8 certain                   # the end was told
    u8 has_transit
    u8 spatial_count
    u16 width                    # of the last keyframe
    u16 height

# NULL without memory or for impossible settings.
cdef Receiver* receiver_new(const ReceiverSettings* settings, us_t now) noexcept nogil
cdef void receiver_free(Receiver* r) noexcept nogil
# One opened media packet; `index` is its 48-bit index, `arrival` when the kernel got it.
cdef void receiver_packet(Receiver* r, const u8* data, u32 size, const RtpView* view, u64 index, us_t arrival,
                          Ledger* ledger, Measures* measures) noexcept nogil
# One opened packet of the RTX stream (RFC 4588). Padding-only probes are passed over.
cdef void receiver_repair(Receiver* r, const u8* data, u32 size, const RtpView* view, us_t arrival,
                          Ledger* ledger, Measures* measures) noexcept nogil
cdef void receiver_sender_report(Receiver* r, const SenderInfo* info, us_t now) noexcept nogil
# As ReceiverTotals.layers.
cdef u16 receiver_layers(const Receiver* r) noexcept nogil
cdef us_t receiver_deadline(const Receiver* r) noexcept nogil
# NACK items that are due now (at most cap).
cdef int receiver_nacks(Receiver* r, us_t now, NackItem* out, int cap) noexcept nogil
# Should a PLI leave now? True at most once a second, while a keyframe is needed.
cdef bint receiver_wants_keyframe(Receiver* r, us_t now) noexcept nogil
cdef void receiver_report(Receiver* r, us_t now, ReportBlock* out) noexcept nogil
# Counts what has settled until `now`. To be called about once a second and at the end; a `now` far in the future settles everything.
cdef void receiver_settle(Receiver* r, us_t now, const Ledger* ledger) noexcept nogil
# The stream is paused or closed for us from `at` on: packets due later are misdelivered, missing ones not lost.
# With `expected` (the publisher's next counter when it stopped for good) everything below it is expected, else what was seen.
# A second end changes nothing.
cdef void receiver_end(Receiver* r, us_t at, bint has_expected, u32 expected) noexcept nogil
# The last count, after receiver_end: nothing stays open, see the rules. A resumed one counts on.
cdef void receiver_close(Receiver* r, us_t now, const Ledger* ledger) noexcept nogil
# It goes on: counting begins anew with the next packet (video: keyframe). Nothing if it had not ended.
cdef void receiver_resume(Receiver* r, us_t now) noexcept nogil
cdef void receiver_totals(const Receiver* r, ReceiverTotals* out) noexcept nogil
# Bytes of memory that it has now.
cdef size_t receiver_footprint(const Receiver* r) noexcept nogil
cdef const ReceiverSettings* receiver_settings(const Receiver* r) noexcept nogil
