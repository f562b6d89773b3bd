# One transport of a synthetic user: full ICE towards an ICE-lite server (RFC 8445 controlling side), DTLS client, SRTP, and the tracks on it.
#
# Rules:
#  - Checks (regular nomination is not needed with a lite peer: every check nominates) start at once, again after 100 ms and doubling
#    up to 1.6 s; connected pairs are checked each 5 s (RFC 7675 consent) with randomised spacing of 0.8 to 1.2.
#  - A success response counts only with our transaction id and a right MESSAGE-INTEGRITY.
#  - DTLS starts with the first success response. Failed = no handshake in 30 s; disconnected = no response for 15 s.
#  - Without a response for 30 s consent is over (RFC 7675): nothing but checks is sent.
#  - The handshake's state is freed once its keys are there: a client has the last word of a full handshake, so it need never repeat
#    a flight. The goodbye (close_notify) is sealed at that moment and kept. The server's own goodbye is not noticed.
#  - Datagrams both ways pass the path's links when it has some.
from simplestchat._native.core.types cimport Tuple, u32, u64, u8, us_t
from simplestchat._native.peer.entities cimport Path, SwarmState

cdef enum PathState:
    PATH_NEW = 0
    PATH_CHECKING = 1
    PATH_HANDSHAKE = 2
    PATH_CONNECTED = 3
    PATH_DISCONNECTED = 4          # the next response restores it
    PATH_FAILED = 5

cdef enum:
    CONNECT_US = 30000000          # then it has failed
    SILENCE_US = 15000000          # without a response: disconnected
    CONSENT_US = 30000000          # without a response: nothing but checks is sent
    LEAVE_US = 2000000             # for what is still in a removed path's uplink

# A path in the swarm's lists that checks at the next tick. NULL without memory or at the cap.
cdef Path* path_new(SwarmState* s, u32 id, u32 user, const Tuple* server, u64 seed, us_t now) noexcept nogil
# The server's certificate. OK or < 0 as dtls_set_fingerprint.
cdef int path_expect(Path* p, int hash, const u8* digest, size_t size) noexcept nogil
cdef void path_free(SwarmState* s, Path* p) noexcept nogil
# One datagram from the network, before its downlink. `arrival` is at most `now`.
cdef void path_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil
# What is due; sets the next deadline. True when the output queue filled up before.
cdef bint path_tick(SwarmState* s, Path* p, us_t now) noexcept nogil
cdef void path_rebind(SwarmState* s, Path* p, us_t now) noexcept nogil
cdef void path_silence(SwarmState* s, Path* p, us_t now) noexcept nogil
cdef void path_fail(SwarmState* s, Path* p) noexcept nogil
# Says goodbye unless silenced; its tracks end. It is freed once it is in s.gone and taken from there.
cdef void path_leave(SwarmState* s, Path* p, us_t now) noexcept nogil
# Puts it among those that want a socket, when a loop is there to give one.
cdef void path_want(SwarmState* s, Path* p) noexcept nogil
