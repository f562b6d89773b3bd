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
