# What is asked of a swarm by number: each looks its thing up, does it, and says whether it was there. Under the swarm's lock.
from simplestchat._native.core.types cimport Tuple, u32, u64, u8, us_t
from simplestchat._native.peer.entities cimport OWN_PASSWORD_SIZE, OWN_UFRAG_SIZE, PathTotals, SwarmState
from simplestchat._native.peer.link cimport LinkSettings
from simplestchat._native.peer.receiver cimport ReceiverTotals
from simplestchat._native.peer.sender cimport SenderTotals
from simplestchat._native.peer.settings cimport ReceiverSettings, SenderSettings

cdef enum:
    UNKNOWN = -100                 # a status: there is no such thing

cdef enum CommandKind:             # of command(); which of `flag` and `number` counts
    COMMAND_REBIND = 1             # a path
    COMMAND_SILENCE = 2
    COMMAND_MUTE = 3               # a sender; flag: muted, number: forbidden packets go on
    COMMAND_LAYERS = 4             # number: the mask
    COMMAND_KEYFRAME = 5
    COMMAND_TALK = 6               # flag: talking
    COMMAND_END = 7                # a receiver; flag: number is the publisher's next counter
    COMMAND_RESUME = 8

cdef struct IceArguments:
    const u8* ufrag
    size_t ufrag_size
    const u8* password
    size_t password_size

# What an emulated direction is like now.
cdef struct LinkAccount:
    u64 rate_bps                   # 0: no bottleneck
    us_t queue_us                  # that its queue takes to run empty
    u64 bytes                      # given to it
    u64 queue_drops

cdef struct PathAccount:
    PathTotals totals
    u8 state
    us_t rtt_us
    u64 remb_bps
    LinkAccount links[2]           # up, down; zeros without one
    char ufrag[OWN_UFRAG_SIZE]
    char password[OWN_PASSWORD_SIZE]

# All return OK, UNKNOWN, or what the thing itself says.
cdef int command(SwarmState* s, int kind, u32 id, bint flag, u32 number) noexcept nogil
cdef int command_add_path(SwarmState* s, u32 id, u32 user, const Tuple* server, const IceArguments* ice, int hash, const u8* digest,
                          size_t digest_size, u64 seed) noexcept nogil
cdef int command_restart(SwarmState* s, u32 id, const IceArguments* ice) noexcept nogil
cdef int command_network(SwarmState* s, u32 id, const LinkSettings* up, const LinkSettings* down) noexcept nogil     # NULL: none
cdef int command_add_sender(SwarmState* s, u32 path, const SenderSettings* settings) noexcept nogil
cdef int command_add_receiver(SwarmState* s, u32 path, const ReceiverSettings* settings) noexcept nogil
cdef int command_bitrate(SwarmState* s, u32 sender, u32 layer, u32 bitrate_bps) noexcept nogil
# Accounts, as of now or, with `remove`, the last ones.
cdef int command_path(SwarmState* s, u32 id, bint remove, PathAccount* out) noexcept nogil
cdef int command_sender(SwarmState* s, u32 id, bint remove, SenderTotals* out) noexcept nogil
cdef int command_receiver(SwarmState* s, u32 id, bint remove, bint has_expected, u32 expected, ReceiverTotals* out) noexcept nogil
