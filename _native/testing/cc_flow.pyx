"""Senders on an emulated path; see cc_flow.pxd for the contract."""

from libc.stdlib cimport calloc, free
from simplestchat._native.cc.bwe cimport bwe_free, bwe_new, bwe_probe, bwe_send, bwe_tick, bwe_want
from simplestchat._native.core.types cimport US_PER_S, i32, u16, u32, u64, us_t
from simplestchat._native.testing.cc_path cimport Path, PathPacket, path_enter, path_uniform, path_wait
from simplestchat._native.testing.cc_receiver cimport Receiver, receiver_arrives, receiver_sent, receiver_step

cdef enum:
    _VOICE_BYTES = 100
    _VOICE_US = 20000
    _VOICE_BPS = 40000
    _PACE_PERMILLE = 2500        # of the estimate
    _FIT_PERMILLE = 900          # of the estimate that a step up may take
    _HOLD_US = 2000000           # after a step down there is none up for so long
    _TIMEOUT_US = 1000000        # of TCP


cdef bint flow_open(Flow* f, u64 start_bps, us_t now) noexcept nogil:
    f.begins_us = f.frame_us = f.voice_us = f.choose_us = f.spaced_us = f.probe_us = f.tick_us = now
    f.step = -1
    f.raised_us = now - _HOLD_US
    if f.kind == FLOW_TCP:
        f.window = 10
        f.threshold = 1e9
        f.heard_us = now
        f.acks = <Ack*> calloc(FLOW_ACKS, sizeof(Ack))
        return f.acks != NULL
    if f.kind == FLOW_BLIND:
        return True
    f.bwe = bwe_new(start_bps, now)
    f.receiver = <Receiver*> calloc(1, sizeof(Receiver))
    return f.bwe != NULL and f.receiver != NULL


cdef void flow_close(Flow* f) noexcept nogil:
    bwe_free(f.bwe)
    free(f.receiver)
    free(f.acks)
    f.bwe = NULL
    f.receiver = NULL
    f.acks = NULL


cdef void _emit(Flow* f, Path* path, u32 size, u32 cluster, us_t now) noexcept nogil:
    cdef PathPacket packet
    packet.flow = f.index
    packet.size = size
    packet.entered_us = now
    packet.number = f.number
    f.number += 1
    f.sent += size
    f.packets += 1
    f.probed += size if cluster else 0
    if f.bwe != NULL:
        bwe_send(f.bwe, size, now, cluster)
        receiver_sent(f.receiver, packet.number)
    if not path_enter(path, &packet):
        flow_arrives(f, path, packet.number, 0, -1)


cdef void flow_arrives(Flow* f, const Path* path, u64 number, u32 size, us_t at) noexcept nogil:
    cdef Ack* ack
    if at >= 0:
        f.delivered += size
    else:
        f.lost += 1
    if f.kind == FLOW_TCP:
        ack = &f.acks[(f.ack_first + f.ack_count) % FLOW_ACKS]
        # What is lost is noticed when what follows it is acknowledged.
        ack.at_us = at + path.delay_us if at >= 0 else f.heard_us + 2 * path.delay_us + path_wait(path)
        ack.lost = at < 0
        f.ack_count += f.ack_count < FLOW_ACKS
    elif f.receiver != NULL and at >= 0:
        receiver_arrives(f.receiver, number, at)


cdef void _step_tcp(Flow* f, Path* path, us_t now) noexcept nogil:
    cdef Ack* ack
    while f.ack_count and f.acks[f.ack_first].at_us <= now:
        ack = &f.acks[f.ack_first]
        f.ack_first = (f.ack_first + 1) % FLOW_ACKS
        f.ack_count -= 1
        f.in_flight -= f.in_flight > 0
        f.heard_us = now
        if not ack.lost:
            f.window += 1 if f.window < f.threshold else 1 / f.window
        elif now - f.halved_us > 2 * path.delay_us + path_wait(path):
            f.halved_us = now
            f.window = f.threshold = max(f.window / 2, 2)
    if now - f.heard_us > _TIMEOUT_US:
        f.window = 1
        f.in_flight = 0
        f.heard_us = now
    while f.in_flight < <u32> f.window:
        f.in_flight += 1
        _emit(f, path, FLOW_PACKET, 0, now)


cdef void _choose(Flow* f, us_t now) noexcept nogil:
    # One step up when it fits with room to spare, down at once when it does not fit.
    cdef u64 voice = _VOICE_BPS if f.voice else 0
    cdef u64 budget = f.bwe.estimate_bps - min(voice, f.bwe.estimate_bps)
    cdef u64 next_bps = 0
    while f.step >= 0 and f.steps[f.step] > budget:
        f.step -= 1
        f.raised_us = now
    while f.step + 1 < <i32> f.step_count and f.steps[f.step + 1] <= budget * _FIT_PERMILLE // 1000 and now - f.raised_us >= _HOLD_US:
        f.step += 1
    f.rate_bps = f.steps[f.step] if f.step >= 0 else 0
    if f.step + 1 < <i32> f.step_count:
        next_bps = f.steps[f.step + 1] * 1000 // _FIT_PERMILLE + voice
    bwe_want(f.bwe, next_bps, f.steps[f.step_count - 1] * 1000 // _FIT_PERMILLE + voice, now)


cdef void _make_media(Flow* f, Path* path, us_t now) noexcept nogil:
    cdef u64 rate = f.rate_bps
    if now >= f.choose_us:
        f.choose_us = now + FLOW_CHOOSE_US
        if f.kind == FLOW_LAYERS:
            _choose(f, now)
        elif f.kind == FLOW_FILLS:
            bwe_want(f.bwe, f.most_bps if f.bwe.estimate_bps < f.most_bps else 0, f.most_bps, now)
    if f.kind == FLOW_FILLS:
        rate = min(f.bwe.estimate_bps, f.most_bps)
    if f.voice and now >= f.voice_us:
        f.voice_us = now + _VOICE_US
        _emit(f, path, _VOICE_BYTES, 0, now)
    if now >= f.frame_us:
        f.frame_us += FLOW_FRAME_US
        if f.backlog * 16 > rate:
            return               # half a second waits for the pacer: a frame is left out
        # Frames differ: two thirds to four thirds of the mean.
        f.backlog += <u64> (rate / 8.0 * FLOW_FRAME_US * 1e-6 * (0.667 + 0.667 * path_uniform(path)))


cdef void _step_media(Flow* f, Path* path, us_t now) noexcept nogil:
    cdef u32 size = 0, cluster = 0
    cdef u64 pace
    receiver_step(f.receiver, path, f.bwe, now)
    if now >= f.tick_us or f.bwe.feedback_us == now:
        f.tick_us = bwe_tick(f.bwe, now)
        f.probe_us = now         # what was heard may have changed when
    if f.silent:
        f.frame_us = f.voice_us = now
        return
    _make_media(f, path, now)
    f.spaced_us = max(f.spaced_us, now - 5000)
    while f.backlog and f.spaced_us <= now:
        size = <u32> min(f.backlog, <u64> FLOW_PACKET)
        f.backlog -= size
        pace = max(f.bwe.estimate_bps, f.rate_bps) * _PACE_PERMILLE // 1000
        f.spaced_us += <us_t> (<u64> size * 8 * US_PER_S // pace)
        _emit(f, path, size, 0, now)
    while now >= f.probe_us and bwe_probe(f.bwe, now, &cluster, &size, &f.probe_us):
        _emit(f, path, size, cluster, now)


cdef void _step_blind(Flow* f, Path* path, us_t now) noexcept nogil:
    while f.rate_bps and f.spaced_us <= now:
        f.spaced_us = max(f.spaced_us, now - 5000) + <us_t> (<u64> FLOW_PACKET * 8 * US_PER_S // f.rate_bps)
        _emit(f, path, FLOW_PACKET, 0, now)


cdef void flow_step(Flow* f, Path* path, us_t now) noexcept nogil:
    if now < f.begins_us:
        return
    if f.kind == FLOW_TCP:
        _step_tcp(f, path, now)
    elif f.kind == FLOW_BLIND:
        _step_blind(f, path, now)
    else:
        _step_media(f, path, now)
