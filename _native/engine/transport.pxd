# One peer's path: ICE, then DTLS, then SRTP, and everything that arrives on it.
#
# Rules:
#  - Nothing but STUN is looked at from a tuple that has not passed a check.
#  - connected = DTLS finished against the announced fingerprint, and a check within CONSENT_US (RFC 7675). Without
#    consent nothing is sent and the state is disconnected; the next valid check restores it.
#  - A failed handshake is final: the peer makes another transport.
from simplestchat._native.core.types cimport Tuple, u32, u8, us_t
from simplestchat._native.engine.entities cimport ShardState, Transport

cdef enum:
    CONSENT_US = 30000000

cdef enum PeerRole:                # the peer's part in the DTLS handshake
    PEER_AUTO = 0                  # we wait for its ClientHello
    PEER_CLIENT = 1
    PEER_SERVER = 2

cdef Transport* transport_new(ShardState* s, u32 id, us_t now) noexcept nogil      # NULL without memory or at the cap
cdef void transport_free(ShardState* s, Transport* t) noexcept nogil               # its producers and consumers too
cdef int transport_connect(ShardState* s, Transport* t, int peer_role, int hash, const u8* digest, u32 size, us_t now) noexcept nogil
cdef void transport_receive(ShardState* s, const u8* data, u32 size, const Tuple* tuple, us_t now) noexcept nogil
# A turn's share of the DTLS datagrams that wait (see handshakes). True when there are more.
cdef bint transport_handshakes(ShardState* s, us_t now) noexcept nogil
cdef void transport_tick(ShardState* s, Transport* t, us_t now) noexcept nogil     # sets its next deadline
