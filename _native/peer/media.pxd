# RTP of a path: what is due of its senders is sealed and sent, what arrives is opened, once, and given to its receiver.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.peer.entities cimport Path, Reception, SwarmState
from simplestchat._native.peer.sender cimport Outgoing

# Counts what could not be opened, by why.
cdef void media_unopened(Path* p, int status) noexcept nogil
# One datagram that looks like RTP.
cdef void media_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil
# Everything that the senders owe until `now`. True when the output queue filled up before.
cdef bint media_send(SwarmState* s, Path* p, us_t now) noexcept nogil
# One packet. False when there was no room.
cdef bint media_seal(SwarmState* s, Path* p, const Outgoing* packet, us_t now) noexcept nogil
# When the senders want to send again.
cdef us_t media_deadline(const Path* p) noexcept nogil
