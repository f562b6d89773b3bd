"""An emulated bottleneck; see cc_path.pxd for the contract."""

from simplestchat._native.core.types cimport US_PER_S, u32, u64, us_t
from simplestchat._native.testing.fuzz cimport fuzz_random


cdef double path_uniform(Path* p) noexcept nogil:
    return <double> (fuzz_random(&p.random) >> 11) / <double> (<u64> 1 << 53)


cdef us_t path_wait(const Path* p) noexcept nogil:
    return <us_t> (p.bytes * 8 * US_PER_S // p.rate_bps) if p.rate_bps else 0


cdef bint _refused(Path* p, const PathPacket* packet) noexcept nogil:
    if p.bucket_bps:
        p.tokens = min(p.tokens + (packet.entered_us - p.filled_us) * 1e-6 * p.bucket_bps / 8, <double> p.bucket_bytes)
        p.filled_us = packet.entered_us
        if p.tokens < packet.size:
            return True
        p.tokens -= packet.size
    return p.rate_bps == 0 or path_wait(p) > p.queue_us or p.held == PATH_QUEUE


cdef inline us_t _service(const Path* p, u32 size) noexcept nogil:
    return <us_t> (<u64> size * 8 * US_PER_S // p.rate_bps)


cdef bint path_enter(Path* p, const PathPacket* packet) noexcept nogil:
    if _refused(p, packet):
        p.dropped += 1
        return False
    p.queue[(p.head + p.held) % PATH_QUEUE] = packet[0]
    if p.held == 0:
        p.head_done_us = packet.entered_us + _service(p, packet.size)
    p.held += 1
    p.bytes += packet.size
    return True


cdef bint _lost(Path* p) noexcept nogil:
    if p.to_bad > 0:
        p.bad = path_uniform(p) >= p.to_good if p.bad else path_uniform(p) < p.to_bad
        if p.bad:
            return True
    return p.loss > 0 and path_uniform(p) < p.loss


cdef bint path_leave(Path* p, us_t now, PathPacket* packet, us_t* arrives_us) noexcept nogil:
    cdef us_t left = p.head_done_us
    if p.held == 0 or p.rate_bps == 0 or left > now:
        return False
    packet[0] = p.queue[p.head]
    p.head = (p.head + 1) % PATH_QUEUE
    p.held -= 1
    p.bytes -= packet.size
    if p.held:
        p.head_done_us = left + _service(p, p.queue[p.head].size)
    if _lost(p):
        p.lost += 1
        arrives_us[0] = -1
        return True
    left += p.delay_us
    if p.jitter_us:
        left += <us_t> (path_uniform(p) * p.jitter_us)
        if not p.reorders:
            left = max(left, p.latest_us)
    p.latest_us = left
    arrives_us[0] = left
    return True
