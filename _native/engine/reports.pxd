# RTCP of a transport: what its peer says, and the regular reports to it.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.engine.entities cimport ShardState, Transport

# A compound or reduced-size packet, still sealed. Feedback counts only for SSRCs that this transport receives from us, reports and
# BYE only for those it sends (docs/security.md row 34). Whether it was authentic.
cdef bint reports_receive(ShardState* s, Transport* t, const u8* data, u32 size, us_t now) noexcept nogil
# Receiver reports and REMB to a publisher, sender reports to a subscriber; about once a second. The next deadline.
cdef us_t reports_tick(ShardState* s, Transport* t, us_t now) noexcept nogil
