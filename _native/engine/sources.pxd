# Which SSRCs arrive on a transport and what stream each feeds: announced in parameters, or learned from MID and RID
# (RFC 8843 section 9.2, RFC 8852) on the first authentic packet. Nothing is kept of an SSRC that never authenticated.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.engine.entities cimport Producer, ShardState, Source, Transport
from simplestchat._native.wire.rtp cimport RtpView

# NULL when nobody knows it.
cdef Source* sources_find(Transport* t, u32 ssrc) noexcept nogil
# OK; E_STATE when another producer has it or when it is not greater than all before on a pipe, E_LIMIT at the cap, E_NOMEM.
cdef int sources_add(Transport* t, u32 ssrc, Producer* p, u8 stream, bint repair) noexcept nogil
# Keeps their SRTP state, so that an SSRC which comes back goes on where it was (docs/security.md row 23); those of a pipe never do.
cdef void sources_retire(Transport* t, const Producer* p) noexcept nogil
# An RTP packet of an unknown SSRC. Whether it was authentic.
cdef bint sources_learn(ShardState* s, Transport* t, const u8* data, u32 size, const RtpView* view, us_t now) noexcept nogil
