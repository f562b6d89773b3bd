# The engine's state: plain structs, owned by one shard, linked by pointers. Everything is made and freed between two turns of
# the loop (control messages), so a pointer taken during a turn stays good until its end.
from simplestchat._native.core.budget cimport Budget
from simplestchat._native.core.table cimport Table64, TupleTable
from simplestchat._native.cc.allocator cimport Allocator, Want
from simplestchat._native.cc.arrival cimport Arrivals
from simplestchat._native.cc.bwe cimport Bwe
from simplestchat._native.cc.pacer cimport Pacer
from simplestchat._native.core.types cimport Tuple, i16, i32, i64, i8, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls cimport Dtls
from simplestchat._native.crypto.dtls_context cimport DtlsContext
from simplestchat._native.crypto.random cimport Csprng
from simplestchat._native.crypto.srtp cimport SealJob, SrtpContext, SrtpRecvState
from simplestchat._native.select.state cimport Selector
from simplestchat._native.select.speakers cimport Speaker, SpeakerGroup
from simplestchat._native.stream.cache cimport CachedPacket, PacketCache
from simplestchat._native.stream.nack cimport NackList
from simplestchat._native.stream.pidmap cimport PidMap
from simplestchat._native.stream.rates cimport LayerRates
from simplestchat._native.stream.recv cimport RecvStats
from simplestchat._native.stream.send cimport SendStats
from simplestchat._native.stream.sent cimport SentRing
from simplestchat._native.stream.seqmap cimport SeqMap
from simplestchat._native.stream.tsmap cimport TsMap
from simplestchat._native.wire.av1dd cimport DdStructure
from simplestchat._native.wire.facts cimport FrameFacts, PictureIds

cdef enum:
    NEVER_US = 0x7FFFFFFFFFFFFFFF
    TOLD_NOTHING = -2

    MAX_DATAGRAM = 1500            # larger ones are dropped unread
    BATCH = 64                     # datagrams in one feed

    # Caps. Every map and list of the engine has one.
    MAX_TRANSPORTS = 16384         # of a shard
    MAX_CONSUMERS = 65536          # of a shard: far more than a core can feed, 1.9 GB at most
    MAX_PAIRS = 8                  # candidate pairs of a transport
    MAX_SOURCES = 64               # SSRCs received on a transport
    MAX_HANDSHAKES = 4096          # DTLS datagrams that wait in a shard: 6 MB at most
    MAX_SENT_SSRCS = 16384         # SSRCs ever sent on a transport: they are never used again
    MAX_TRANSPORT_PRODUCERS = 32   # producers of a transport
    MAX_TRANSPORT_CONSUMERS = 2048 # consumers of a transport
    MAX_PIPE_SOURCES = 4096        # SSRCs received over a pipe: some thousand tracks
    MAX_PIPE_PRODUCERS = 4096      # producers fed by a pipe
    MAX_PIPE_CONSUMERS = 8192      # encodings sent over a pipe
    MAX_PRODUCER_CONSUMERS = 16384 # consumers of a producer
    MAX_STREAMS = 4                # encodings of a producer
    MAX_CODECS = 16                # codecs of a producer
    MAX_EVENTS = 65536             # events that wait for the node
    MAX_WAITING = 2048             # packets of a transport that wait for their turn: about two seconds of 10 Mbit/s
    MAX_GROUPS = 4096              # of audio producers among which speakers are looked for: one for each room
    MAX_IN_BPS = 200000000         # of genuine media and feedback of a transport; beyond it, packets are dropped unopened
    MAX_IN_PPS = 25000             # likewise in packets: a small one costs the budget as much as one of 1000 bytes
    MAX_IN_BURST = 8388608         # bytes of it at once: what a socket's buffer holds after a stall

    UFRAG_SIZE = 8                 # 48 bits (RFC 8445 section 5.3 asks for 24)
    PASSWORD_SIZE = 24             # 144 bits (the RFC asks for 128)
    MAX_SPATIAL = 4                # layers, inside an encoding or as encodings
    MAX_TEMPORAL = 4
    MID_SIZE = 32
    RID_SIZE = 16

# The header extensions that the engine knows; a producer or consumer maps each to its own id, 0 = not negotiated.
cdef enum:
    EXT_MID = 0
    EXT_RID = 1
    EXT_REPAIRED_RID = 2
    EXT_AUDIO_LEVEL = 3
    EXT_VIDEO_ORIENTATION = 4
    EXT_ABS_SEND_TIME = 5
    EXT_TRANSPORT_CC = 6
    EXT_TOFFSET = 7
    EXT_DEPENDENCY = 8             # the dependency descriptor of AV1
    EXT_COUNT = 9

cdef enum CodecKind:
    CODEC_OTHER = 0                # forwarded without looking inside; every packet counts as decodable
    CODEC_OPUS = 1
    CODEC_VP8 = 2
    CODEC_H264 = 3
    CODEC_VP9 = 4
    CODEC_AV1 = 5

cdef enum TransportState:
    TRANSPORT_NEW = 0
    TRANSPORT_CONNECTED = 1        # a candidate pair is selected, consent is fresh, SRTP keys are there
    TRANSPORT_DISCONNECTED = 2     # consent ran out (RFC 7675); the next valid check restores it
    TRANSPORT_FAILED = 3           # the DTLS handshake failed

# The audio producers of one room on this worker.
cdef struct Group:
    SpeakerGroup speakers
    u32 id
    u32 dominant                   # producer that was told last, 0: nobody

cdef struct IceCredentials:
    char ufrag[UFRAG_SIZE]
    char password[PASSWORD_SIZE]
    u8 valid

cdef struct Pair:
    Tuple tuple
    us_t checked_us                # last valid check
    u64 bytes_in
    u64 bytes_out
    u8 used
    u8 proven                      # something only the keys' owner can make came from there (SRTP, SRTCP, finished DTLS)

# An SSRC that arrives on a transport, and the stream it feeds.
cdef struct Source:
    SrtpRecvState srtp
    Producer* producer
    u32 ssrc
    u8 stream
    u8 repair                      # the RTX SSRC of that stream

cdef struct Codec:
    u8 payload_type
    i16 rtx_payload_type           # -1: none
    u32 clock_rate
    u8 kind
    u8 nack
    u8 pli
    u8 fir

# A DTLS datagram that waits for its turn; its bytes follow.
cdef struct WaitingDatagram:
    WaitingDatagram* next
    Tuple tuple
    u32 size

# A packet of a transport that waits until the pacer lets it leave. What it says is in its consumer's ring.
cdef struct WaitingPacket:
    u64 out_index
    u32 ssrc
    u32 size                       # about
    us_t since_us

cdef struct WaitingPackets:
    WaitingPacket* items           # a ring; NULL before the first one
    u32 mask
    u32 first
    u32 count

cdef struct Transport:
    u32 id
    u8 state
    u8 dtls_role                   # ours, once known
    u8 connect_called
    u8 pipe                        # its peer is another worker of ours, see pipe.pxd
    u8 fingerprint_set
    i8 selected                    # index into pairs, -1 none
    i8 old_credentials             # after an ICE restart both are good until the first check with the new ones
    IceCredentials ice[2]          # [0] current, [1] before the restart
    Pair pairs[MAX_PAIRS]
    us_t checked_us                # last valid check on any pair
    us_t migrated_us               # last change of the selected pair
    Budget budget                  # bytes of media and feedback that it may still send us
    Dtls* dtls
    SrtpContext* send_srtp
    SrtpContext* recv_srtp
    WaitingDatagram* waiting_first # of the handshake, oldest first
    WaitingDatagram* waiting_last
    u32 waiting_count
    u8 waiting_round
    Transport* next_waiting        # in the shard's round
    Source* sources                # NULL before the first one; it grows up to MAX_SOURCES
    u32 source_count
    u32 source_capacity
    u64 source_seed                # of the table's hash
    Table64 source_by_ssrc         # -> index into sources; made with them
    Table64 sent_by_ssrc           # -> Consumer*, NULL once it is closed
    Producer** producers
    u32 producer_count
    Consumer** consumers
    u32 consumer_count
    u32 consumer_capacity
    u32 rtcp_ssrc                  # the sender of our feedback
    us_t rtcp_us                   # next regular reports
    u32 newest_in                  # of a pipe: the greatest SSRCs so far, received and sent
    u32 newest_out
    u32 reported                   # consumers that the reports now due have covered
    us_t deadline_us               # in the shard's heap
    u32 heap_index                 # 1-based, 0 = not in the heap
    u64 packets_in
    u64 packets_out
    u64 bytes_in
    u64 bytes_out
    u64 dropped_in
    u64 media_in                   # media packets taken in from its producers
    u64 media_expected             # what their numbers say was sent
    u64 reported_lost              # media packets that its peer says it did not get
    u64 remb_bps                   # the peer's last estimate, 0 none
    # Towards a receiver: what its path carries, and what of it each video gets.
    Bwe* bwe                       # NULL: no consumer's packets are numbered, and no REMB came
    Pacer pacer
    WaitingPackets waiting
    Allocator allocator
    us_t divided_us                # when what is sent beside videos was measured last
    u8 probe_turn
    us_t probe_us                  # when the estimator wants to be asked for probes
    us_t bwe_us                    # its own deadline
    us_t allocate_us               # next regular allocation
    u64 allocated_bps              # the estimate that the last one divided
    u64 told_bps                   # last estimate that the node heard of
    us_t told_us
    u64 audio_bytes                # sent since the last allocation, beside what it divides
    u64 repair_bytes
    u64 audio_bps                  # the same, smoothed
    u64 repair_bps
    u64 other_bps                  # what of the estimate is not divided
    # From a publisher: when its numbered packets came.
    Arrivals* arrivals             # NULL before the first one

# What a packet of video says of itself, beside its place in the cache.
cdef struct PacketFacts:
    FrameFacts frame
    PictureIds ids                 # the numbers in its descriptor
    u16 dependency_off             # of the dependency descriptor's value in the packet
    u8 dependency_size             # 0: none

# One received encoding of a producer.
cdef struct Stream:
    u32 ssrc
    u32 rtx_ssrc
    char rid[RID_SIZE + 1]
    u8 begun
    u8 keyframe_wanted
    u8 keyframe_tries
    u8 fir_sequence
    us_t keyframe_asked_us         # last PLI or FIR sent
    us_t keyframe_us               # when to ask (again), NEVER_US
    us_t arrived_us                # last packet
    u8 outrun                      # frames of the producer's other encodings since then (liveness.pxd)
    u64 keyframes
    RecvStats stats
    NackList nack
    PacketCache cache
    PacketFacts* facts             # of what the cache's slots hold; NULL before the first packet, and for audio
    DdStructure* dependency        # NULL before the first dependency descriptor
    LayerRates rates
    u8 spatial_count               # layers inside this encoding, as its publisher announced them
    u8 temporal_count
    u32 nominal_bps                # the most that it sends, as announced; 0 unknown
    u32 last_bps                   # what it took when it was sent last; 0: never

cdef struct Pending:
    u64 index                      # in the stream's cache
    us_t arrived_us                # its datagram's
    u8 stream

# The same as all consumers take it, looked up once for all of them.
cdef struct Ready:
    const CachedPacket* packet     # NULL: overwritten meanwhile
    const PacketFacts* facts       # NULL: audio
    const u8* data
    u8 stream
    u8 codec
    u8 padding                     # bytes that make it as long as its neighbours

cdef struct Producer:
    u32 id
    u8 video
    u8 paused
    u8 piped                       # it comes from another worker, where its publisher is
    u8 codec_count
    u8 stream_count
    u8 level                       # loudest audio level since the last report: 0 loud .. 127 silent (RFC 6464)
    u8 mid_size
    char mid[MID_SIZE + 1]
    u8 ext[EXT_COUNT]
    u8 codec_by_pt[128]            # 1-based index into codecs, 0 unknown
    u8 rtx_by_pt[128]              # likewise, for RTX payload types
    Codec codecs[MAX_CODECS]
    u8 layered                     # its spatial layers are inside one encoding
    u8 spatial_count               # encodings, or layers inside the one
    u8 temporal_count
    u8 alive_mask                  # liveness_mask when the packets that are forwarded now were made ready
    u8 told_mask                   # spatial layers that the node heard are wanted
    u8 remote_mask                 # wanted by other workers
    u32 wishes[MAX_SPATIAL]        # consumers that would take each spatial layer at most
    us_t mask_us                   # when the wishes are to be looked at, NEVER_US
    us_t unwanted_us               # since when a layer that was told is wanted by nobody; 0: none is
    u16 widths[MAX_SPATIAL]        # of each spatial layer, 0: not said
    u16 heights[MAX_SPATIAL]
    u8 muffled                     # not among the loudest: forwarded to nobody here
    Group* group
    Speaker speaker
    Transport* transport
    Consumer** consumers
    u32 consumer_count
    u32 consumer_capacity
    u32 pending_count
    Pending pending[BATCH]
    Stream* streams                # stream_count of them

cdef struct Consumer:
    Producer* producer
    Transport* transport
    u32 id
    u32 ssrc
    u32 rtx_ssrc                   # 0: no RTX
    u8 paused
    u8 video
    u8 pipe                        # carries one encoding to another worker, as it is
    u8 fresh                       # the next packet begins a new run: sequence and time continue, video waits for a keyframe
    u8 stream                      # the encoding being forwarded
    u8 preferred                   # the highest spatial layer that the subscriber takes
    u8 preferred_temporal
    u8 priority
    u8 begins                      # the next packet is the first of a run
    u8 hidden                      # out of its viewer's sight
    u8 held                        # there is no room for any layer of it
    u8 selects                     # packets pass the selector
    u8 keeps_ids                   # picture ids go on through pids
    u8 wished                      # 1 + the spatial layer counted in the producer's wishes, 0: none
    i8 target_spatial              # what it is to get; of the encodings, or of the layers inside the one
    i8 target_temporal
    i8 told_spatial                # what the node heard that it gets, -1 for nothing; TOLD_NOTHING before it heard anything
    i8 told_temporal
    u8 reason                      # for the last choice
    i32 view_width                 # its picture on the screen in device pixels, -1 unknown
    i32 view_height
    Selector selector
    PidMap* pids                   # NULL before it is needed
    Want want                      # what the allocator remembers
    u8 ext[EXT_COUNT]
    u8 pt_by_codec[MAX_CODECS]     # 255: this codec is not consumed
    i16 rtx_pt_by_codec[MAX_CODECS]
    SendStats send
    SendStats rtx
    TsMap ts
    SeqMap seq
    SentRing sent
    us_t report_us                 # next sender report
    u32 in_producer                # position in producer.consumers
    u32 in_transport               # position in transport.consumers
    u64 nacked
    i64 resend_credit              # bytes that may be resent now; half of what is sent is added (docs/security.md row 35)
    char cname[MID_SIZE + 1]
    u8 cname_size

# A received datagram.
cdef struct Datagram:
    const u8* data
    u32 size
    us_t arrived_us                # on any clock of the io layer: only handed back, in ShardState.done
    Tuple tuple

# Where a turn's datagrams go: the io layer sends them in order and then calls out_clear. Destinations are copies, so that closing a
# transport may still say goodbye.
cdef struct OutPacket:
    Tuple to
    u32 off
    u32 size                       # 0: it does not leave after all
    u8 video                       # part of a frame: worth nothing without the rest
cdef struct OutQueue:
    u8* arena
    OutPacket* packets
    SealJob* jobs                  # of the packets behind `count`, whose bytes are not there yet
    u64* prefixes                  # eight bytes for each job: what stands before its shared plaintext
    u32 used                       # bytes of the arena
    u32 count                      # packets that are ready; nobody looks at those behind
    u32 noted                      # packets behind them, and jobs
    u64 unsealed                   # packets that could not be sealed, ever

cdef struct Event:
    u8 kind
    u8 value
    i8 spatial
    i8 temporal
    u32 id
    u64 number

cdef enum EventKind:
    EVENT_TRANSPORT_STATE = 1
    EVENT_LEVEL = 2                # value: audio level of producer id
    EVENT_LEVELS_END = 3
    EVENT_CONSUMER_LAYERS = 4      # value: why
    EVENT_PRODUCER_LAYERS = 5      # value: mask of the spatial layers that are wanted
    EVENT_BANDWIDTH = 6            # number: what transport id may be sent, bit/s
    EVENT_SPEAKER = 7              # producer id speaks in group `number`, 0: nobody

cdef struct Counters:
    u64 packets_in
    u64 bytes_in
    u64 packets_out
    u64 bytes_out
    u64 media_in                   # media packets of publishers that became part of a stream, repaired ones included
    u64 media_expected             # those that publishers have sent, as far as sequence numbers tell: the rest was lost
    u64 piped_in                   # media packets that came over pipes, repaired ones included
    u64 piped_expected             # those that were sent over them
    u64 piped_out                  # media packets sealed for a pipe
    u64 trains_out                 # messages that carried several packets to one destination
    u64 padding_out                # bytes of padding among bytes_out, which bring packets of a train to one size
    u64 forwarded                  # media packets sealed for a consumer
    u64 resent
    u64 dropped_unknown            # neither STUN, DTLS, RTP nor RTCP, or from a tuple without a valid check
    u64 dropped_stun               # no check of ours: another message, an unknown user name, a wrong password
    u64 dropped_dtls               # records that take no handshake further
    u64 dropped_auth               # SRTP or SRTCP that did not authenticate
    u64 dropped_replay             # seen before, or too old to tell
    u64 dropped_malformed          # does not parse, larger than any that we send, or without the address that it was sent to
    u64 dropped_budget             # not opened: the transport sent more genuine packets than anyone needs to
    u64 dropped_unrouted           # authentic, but no producer wants it
    u64 dropped_consent            # not sent: no consent, or an unproven address's allowance is used up
    u64 dropped_seal               # not sent: OpenSSL failed to seal it
    u64 dropped_send               # not sent: the kernel would not take it
    u64 frames_dropped             # frames of video left out because a socket was full for too long
    u64 dropped_receive            # lost before it was read: the socket's buffer was full
    u64 reported_lost              # media packets that subscribers' reports say did not arrive
    u64 nacks_in
    u64 nacks_out
    u64 keyframe_requests_in
    u64 keyframe_requests_out
    u64 dropped_handshakes         # DTLS datagrams for which there was no place to wait
    u64 handshakes
    u64 handshakes_failed
    u64 feedbacks_in               # transport-wide ones
    u64 feedbacks_out
    u64 probes_out                 # packets sent to find out what a path carries
    u64 paced                      # packets that waited for their turn
    u64 layer_switches             # of consumers, in what they are sent

cdef struct Heap:
    Transport** items              # 1-based
    u32 count
    u32 capacity

# Transports with DTLS datagrams that wait, in the order of their turns.
cdef struct HandshakeRound:
    Transport* first
    Transport* last
cdef struct HandshakeQueue:
    HandshakeRound rounds[2]       # of those whose handshake has not begun, or is over, and of those that are at it
    u8 next                        # whose turn it is
    u32 count                      # datagrams
    u64 bytes                      # of them

cdef struct ShardState:
    OutQueue out
    Table64 by_ufrag               # -> Transport*
    TupleTable by_tuple            # -> Transport*
    Heap timers
    HandshakeQueue handshakes
    Csprng random
    DtlsContext* dtls
    Counters counters
    Event* events
    u32 event_count
    Producer* dirty[BATCH]         # producers with pending packets
    u32 dirty_count
    u32 flush_producer             # where an interrupted flush goes on
    u32 flush_consumer
    u32 flush_pending
    Ready ready[BATCH]             # what the producer whose packets are being flushed has
    us_t arrived_us                # of the datagram being received
    us_t done[BATCH]               # arrival of packets whose last copy was queued since the io layer last took these
    u32 done_count
    us_t levels_us                 # next audio level report
    Group** groups
    u32 group_count
    us_t groups_us                 # when speakers are looked for next
    Want** wants                   # of the transport being allocated; NULL before the first time
    u32 wants_capacity
    Producer** producers           # audio producers, for the level report
    u32 producer_count
    u32 producer_capacity
    u32 transport_count
    u32 consumer_count
    u32 pipe_count                 # pipes among the transports
    u32 piped_producers            # and what is on them among producers and consumers
    u32 pipe_consumers
    u64 sent_bytes                 # memory of what consumers remember of what they sent
    u8 scratch[2048]               # plaintext of RTCP, RTX and unknown sources
    u8 compose[2048]               # RTCP being written
