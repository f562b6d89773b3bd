# The path between two workers, on one machine or between machines: a transport without ICE and DTLS. Both ends are told each
# other's address and fresh keys by who made them both (the node).
#
# Rules:
#  - There is one pipe between two workers, for both directions: the pair of addresses says which pipe a datagram is of. What came
#    from there and is authentic is believed; nothing else is.
#  - Keys are of one pipe and never used again. SSRCs are chosen by the node and only grow within a pipe, in each direction, so that
#    none is used twice under its keys; each end refuses one that does not.
#  - Of a producer that is piped all encodings go, each as a consumer of its own with the producer's payload types and extension
#    ids; at the other end they are an ordinary producer with announced SSRCs. That waits for keyframes and asks for
#    them, for its own consumers; so the pipe's consumers begin anywhere.
#  - What is lost is asked for by NACK and sent again over RTX, or byte for byte where the publisher has no RTX.
#  - Levels, losses and requests are counted and reported where publishers and subscribers are, not at a pipe.
from simplestchat._native.core.types cimport u32, us_t
from simplestchat._native.engine.entities cimport Producer, ShardState, Transport

cdef enum:
    PIPE_KEY_SIZE = 28             # an AES-128-GCM master key and its salt

# The addresses are (remote ip, remote port, local ip, local port). Raises MisuseError for a key of another size or a pair of
# addresses that is taken, InternalError without memory.
cdef Transport* make_pipe(ShardState* s, u32 id, tuple address, bytes send_key, bytes recv_key, us_t now) except NULL
# A consumer for each encoding; rows of (id, SSRC, RTX SSRC or 0), in the order of the encodings. Their addresses. All or none.
cdef list make_pipe_consumers(ShardState* s, Transport* t, Producer* p, list rows)
