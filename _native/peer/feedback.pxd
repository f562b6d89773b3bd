# RTCP of a path: what the server says about our tracks and its own, and what we tell and ask.
#
# Regular reports leave about once a second with a random spacing of 0.75 to 1.25 (RFC 3550 section 6.2 wants them spread): a sender
# report for each encoding, report blocks for what is received, an SDES with each. NACK and PLI leave when they are due,
# those of all receivers together (RFC 5506 reduced size). Transport-wide feedback follows its own rules (arrivals.pxd). No datagram passes 1200 bytes.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.peer.entities cimport Path, SwarmState

# One datagram that looks like RTCP.
cdef void feedback_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil
# NACKs and keyframe requests that are due; sets p.feedback_us. True when the output queue filled up before all were asked.
cdef bint feedback_ask(SwarmState* s, Path* p, us_t now) noexcept nogil
# Transport-wide feedback that is due. True when the output queue filled up before all was told.
cdef bint feedback_arrivals(SwarmState* s, Path* p, us_t now) noexcept nogil
# Regular reports, whether or not they are due, and the once-a-second accounts of the receivers; sets p.report_us. The queue must have headroom.
cdef void feedback_report(SwarmState* s, Path* p, us_t now) noexcept nogil
