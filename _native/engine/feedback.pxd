# RTCP that leaves: sealed, counted and queued.
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.engine.entities cimport ShardState, Transport
from simplestchat._native.wire.rtcp cimport NackItem

# Seals s.compose[:size] for the transport's peer. Nothing happens without keys or consent.
cdef void feedback_send(ShardState* s, Transport* t, int size) noexcept nogil
cdef void feedback_send_keyframe_request(ShardState* s, Transport* t, u32 ssrc, bint pli, u8 fir_sequence) noexcept nogil
# When a publisher's numbered packets came, if that is due. The next deadline.
cdef us_t feedback_send_arrivals(ShardState* s, Transport* t, us_t now) noexcept nogil
cdef void feedback_send_nacks(ShardState* s, Transport* t, u32 ssrc, const NackItem* items, int count) noexcept nogil
