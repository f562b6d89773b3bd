"""RTCP that leaves; see feedback.pxd."""

from simplestchat._native.cc.arrival cimport arrivals_write
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.crypto.srtcp cimport srtcp_seal
from simplestchat._native.engine.entities cimport NEVER_US, TRANSPORT_CONNECTED, ShardState, Transport
from simplestchat._native.engine.ice cimport ice_may_send
from simplestchat._native.engine.output cimport OUT_PACKETS, OUT_SLOT, out_commit, out_reserve
from simplestchat._native.wire.rtcp cimport NackItem, rtcp_write_fir, rtcp_write_nack, rtcp_write_pli

cdef enum:
    FEEDBACK_SIZE = 1100           # of one: it is sealed into a datagram of at most 1200 bytes


cdef void feedback_send(ShardState* s, Transport* t, int size) noexcept nogil:
    cdef u8* out
    if size <= 0 or t.state != TRANSPORT_CONNECTED:
        return
    out = out_reserve(&s.out)
    if out == NULL:
        return
    size = srtcp_seal(t.send_srtp, s.compose, size, out, OUT_SLOT)
    if size < 0:
        return
    if not ice_may_send(t, size):
        s.counters.dropped_consent += 1
        return
    out_commit(&s.out, &t.pairs[t.selected].tuple, size)
    t.packets_out += 1
    t.bytes_out += size


cdef void feedback_send_keyframe_request(ShardState* s, Transport* t, u32 ssrc, bint pli, u8 fir_sequence) noexcept nogil:
    if pli:
        feedback_send(s, t, rtcp_write_pli(s.compose, sizeof(s.compose), t.rtcp_ssrc, ssrc))
    else:
        feedback_send(s, t, rtcp_write_fir(s.compose, sizeof(s.compose), t.rtcp_ssrc, ssrc, fir_sequence))
    s.counters.keyframe_requests_out += not t.pipe


cdef us_t feedback_send_arrivals(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef u32 media = t.sources[0].ssrc if t.source_count else 0
    cdef int size
    if t.arrivals == NULL:
        return NEVER_US
    while now >= t.arrivals.due_us and s.out.count < OUT_PACKETS - 1:
        size = arrivals_write(t.arrivals, s.compose, FEEDBACK_SIZE, t.rtcp_ssrc, media, now)
        if size == 0:
            break
        feedback_send(s, t, size)
        s.counters.feedbacks_out += 1
    return t.arrivals.due_us


cdef void feedback_send_nacks(ShardState* s, Transport* t, u32 ssrc, const NackItem* items, int count) noexcept nogil:
    feedback_send(s, t, rtcp_write_nack(s.compose, sizeof(s.compose), t.rtcp_ssrc, ssrc, items, count))
    s.counters.nacks_out += not t.pipe
