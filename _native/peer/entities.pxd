# The state of synthetic peers: plain structs, owned by one swarm, linked by pointers. Everything is made and freed under the swarm's
# lock, so a pointer taken during a turn stays good until its end.
from simplestchat._native.core.histogram cimport Histogram
from simplestchat._native.core.table cimport Table64
from simplestchat._native.core.types cimport Tuple, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls cimport Dtls
from simplestchat._native.crypto.dtls_context cimport DtlsContext
from simplestchat._native.crypto.srtp cimport SrtpContext, SrtpRecvState
from simplestchat._native.peer.arrivals cimport Arrivals
from simplestchat._native.peer.ledger cimport Ledger
from simplestchat._native.peer.link cimport Link
from simplestchat._native.peer.receiver cimport Measures, Receiver
from simplestchat._native.peer.sender cimport Sender

cdef enum:
    PEER_NEVER_US = 0x7FFFFFFFFFFFFFFF

    # Caps. Every map and list has one.
    MAX_PATHS = 16384              # of a swarm
    MAX_PATH_SENDERS = 8           # tracks published on a path
    MAX_PATH_RECEIVERS = 2048      # tracks received on a path
    MAX_PATH_SOURCES = 8192        # SSRCs known on a path, those of removed receivers included; the oldest of these is forgotten first
    MAX_PATH_STRANGERS = 64        # SSRCs of ours, by their stamps, that no receiver was added for; more are not judged
    STRANGER_US = 1000000          # within which one may be: media may overtake the answer that tells of it
    MAX_SWARM_SENDERS = 131072
    MAX_SWARM_RECEIVERS = 1048576
    MAX_SWARM_EVENTS = 65536       # that wait for take_events; later ones are lost and counted

    MAX_PEER_DATAGRAM = 1500       # larger ones are dropped unread
    ICE_NAME_SIZE = 256            # of a user name fragment or password (RFC 8839 section 5.4)
    OWN_UFRAG_SIZE = 4
    OWN_PASSWORD_SIZE = 24
    TRANSACTIONS = 8               # checks whose answer is waited for
    GOODBYE_SIZE = 64

# A check on its way. An answered one has no time.
cdef struct Transaction:
    u8 id[12]
    us_t sent_us

# What the server is known by, and we by it.
cdef struct IceNames:
    u8* user                       # "theirs:ours", the user name of a check; the password behind it
    u16 user_size
    u16 password_size

# An SSRC that arrives.
cdef struct PeerSource:
    SrtpRecvState srtp
    Reception* reception           # NULL once its receiver is removed
    us_t retired_us                # when it was
    u32 ssrc
    u8 repair                      # the RTX SSRC
    u8 codec

# An SSRC with packets of ours that nobody asked for, yet.
cdef struct Stranger:
    us_t first_us
    u32 ssrc
    u32 packets                    # until it is judged
    u8 judged                      # nobody asked in time: its packets are misdelivered

# A received track.
cdef struct Reception:
    Receiver* receiver
    Path* path
    u32 id
    u32 at                         # place in path.receptions
    us_t since_us                  # added or resumed
    us_t wanted_us                 # from when the first packet and the first frame are measured: its user waited longer than it is there
    u64 keyframes_before           # whole ones until then
    u8 video
    u16 layers_told                # of the last EVENT_LAYER, 0xFFFF: none
    u8 packet_told                 # EVENT_FIRST_PACKET was given
    u8 frame_told
    u8 ended                       # its user crashed: nothing is expected any more

# A published track. Its schedule begins when the path is connected.
cdef struct Publication:
    Sender* sender
    Path* path
    u32 id
    u8 started
    u8 muted
    u8 forbidden
    u8 layers

cdef struct PathTotals:
    u64 packets_in
    u64 packets_out
    u64 bytes_in
    u64 bytes_out
    u64 stun_sent
    u64 dropped                    # not what it should be: no answer of ours, malformed, too large, before keys, or by an unknown protocol
    u64 unknown_ssrc               # authentic media that no receiver asked for
    u64 undecryptable
    u64 replayed                   # SRTP or SRTCP seen before, or too old to tell
    u64 misdelivered               # due after its receiver was removed, or a synthetic user's on an SSRC that no receiver was added for
    u64 corrupt                    # undecryptable, on a path whose downlink is not asked to damage anything

cdef enum:
    SENT_SUMS = 9                  # of SenderTotals, RECEIVED_SUMS of ReceiverTotals, PATH_SUMS of PathTotals
    RECEIVED_SUMS = 20
    PATH_SUMS = 11
    SUMS = SENT_SUMS + RECEIVED_SUMS + PATH_SUMS

cdef struct Path:
    # Of the loop that has the sockets.
    int socket                     # -1 none (yet)
    u8 rebind                      # the socket is to be replaced
    Tuple server                   # remote_ip, remote_port and scope_id: where to; the local half is zero
    Path* next_wanting
    Path* next_gone
    # Of the path.
    u32 id
    u32 user
    u8 state                       # PathState
    u8 silent                      # sends nothing any more
    u8 leaving                     # removed; waits for its link to run empty
    u8 wanting                     # is in the swarm's list of them
    u8 told                        # EVENT_CONNECTED was given
    u8 consenting                  # an answer came in the last 30 s: media may be sent
    u8 seeking                     # no answer yet on this address or with these credentials: checks are dense, spacing doubles
    u8 checks                      # since it seeks
    u8 next_transaction
    u8 goodbye_size
    u64 random                     # state of the path's own generator
    u64 tie_breaker
    IceNames ice
    char own_ufrag[OWN_UFRAG_SIZE]
    char own_password[OWN_PASSWORD_SIZE]
    Transaction transactions[TRANSACTIONS]
    us_t added_us
    us_t check_us                  # next check
    us_t answered_us               # last success response
    us_t first_answer_us
    us_t rtt_us                    # of the last one, 0 none
    us_t leave_us                  # leaving: when to give up
    Dtls* dtls                     # until the handshake is over
    SrtpContext* send_srtp
    SrtpContext* recv_srtp
    u8 goodbye[GOODBYE_SIZE]       # the close_notify, made when the handshake was over
    Link* up
    Link* down
    u8 up_clear                    # freed once they are empty
    u8 down_clear
    u8 damages                     # its downlink was asked to, ever
    u64 seed                       # of the links
    u32 links[2]                   # made for each direction
    u32 rtcp_ssrc
    us_t report_us                 # next regular reports
    us_t feedback_us               # when a receiver wants to ask for something
    u64 remb_bps                   # the server's last estimate, 0 none
    u64 feedbacks                  # transport-wide ones
    u16 transport_number           # of the next packet with a transport-wide number
    u8 transport_ext               # id of the extension that such numbers arrive in, 0: not negotiated
    Arrivals* arrivals             # of them, once one came
    PeerSource** sources
    u32 source_count
    u32 source_capacity
    Table64 source_by_ssrc         # -> PeerSource*
    Stranger* strangers            # MAX_PATH_STRANGERS, once there is one
    u32 stranger_count
    Reception** receptions
    u32 reception_count
    u32 reception_capacity
    Publication* publications[MAX_PATH_SENDERS]
    u32 publication_count
    us_t deadline_us               # in the swarm's heap
    u32 heap_index                 # 1-based, 0 = not in the heap
    u32 at                         # place in the swarm's list
    PathTotals totals
    u64 ended[SUMS]                # of senders and receivers that are no more
    u64 counted[SUMS]              # what the swarm's sums hold of it

# Where a turn's datagrams go: the loop sends them in order, each by its path's socket, then calls Swarm.sent.
cdef struct PeerPacket:
    Path* path
    u32 off                        # in the arena
    u32 size
    us_t due_us                    # when it should have left; 0: nobody measures it
cdef struct PeerQueue:
    u8* arena
    PeerPacket* packets
    u32 used                       # bytes of the arena
    u32 count

cdef struct PeerEvent:
    u8 kind
    u32 id
    us_t first
    us_t second

cdef struct PeerHeap:
    Path** items                   # 1-based
    u32 count
    u32 capacity

cdef struct SwarmMeasures:
    Measures media
    Histogram ice
    Histogram dtls
    Histogram first_packet
    Histogram first_frame
    Histogram rtt
    Histogram lag                  # due to handed to the socket
    Histogram wake                 # kernel's receive timestamp to being read

cdef struct SwarmState:
    us_t now                       # of the turn, or of the method's call
    PeerQueue out
    PeerHeap timers
    DtlsContext* dtls
    Ledger* ledger
    SwarmMeasures* measures
    PeerEvent* events
    u32 event_count
    u64 events_lost
    Path** paths
    u32 path_count
    u32 connected
    u32 sender_count
    u32 receiver_count
    u8 has_loop                    # that gives sockets; without one time is virtual
    Path* wanting
    Path* gone
    Table64 by_path                # id -> Path*
    Table64 by_sender              # id -> Publication*
    Table64 by_receiver            # id -> Reception*
    u64 table_seed
    u64 sums[SUMS]                 # over everything that ever was, as of each path's last count
    u8 scratch[2048]               # plaintext of what arrives
    u8 compose[2048]               # RTCP being written
