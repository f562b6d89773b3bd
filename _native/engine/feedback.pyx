"""RTCP that leaves; see feedback.pxd."""

from simplestchat._native.core.types cimport u32, u8
from simplestchat._native.crypto.srtcp cimport srtcp_seal
from simplestchat._native.engine.entities cimport TRANSPORT_CONNECTED, ShardState, Transport
from simplestchat._native.engine.ice cimport ice_may_send
from simplestchat._native.engine.output cimport OUT_SLOT, out_commit, out_reserve
from simplestchat._native.wire.rtcp cimport NackItem, rtcp_write_fir, rtcp_write_nack, rtcp_write_pli


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


cdef void feedback_send_nacks(ShardState* s, Transport* t, u32 ssrc, const NackItem* items, int count) noexcept nogil:
    feedback_send(s, t, rtcp_write_nack(s.compose, sizeof(s.compose), t.rtcp_ssrc, ssrc, items, count))
    s.counters.nacks_out += not t.pipe
