"""The loss-based bound; see loss.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport US_PER_S, i32, u64, us_t

cdef enum:
    _ALL_ONES = 0xFFFFFFFFFFFFFFFF


cdef void loss_init(Loss* l, us_t now) noexcept nogil:
    memset(l, 0, sizeof(Loss))
    l.bps = <u64> _ALL_ONES
    l.round_us = l.settled_us = now
    l.ours_us = now - LOSS_OURS_US


cdef inline double _excess() noexcept nogil:
    return <double> LOSS_EXCESS_PERMILLE / 1000


cdef void _lift(Loss* l) noexcept nogil:
    l.state = LOSS_FREE
    l.bps = <u64> _ALL_ONES


cdef void _settle(Loss* l, us_t rtt, us_t now) noexcept nogil:
    l.settled_us = now + rtt + LOSS_SETTLE_US
    l.recent = l.own
    l.try_told = l.try_lost = 0


cdef void _bound(Loss* l, u64 arrived_bps, us_t rtt, us_t now) noexcept nogil:
    l.state = LOSS_BOUNDS
    l.bps = arrived_bps * LOSS_BOUND_PERMILLE // 1000
    l.grown_us = now
    _settle(l, rtt, now)


cdef void _put_to_the_test(Loss* l, u64 arrived_bps, us_t queue_us, us_t rtt, us_t now) noexcept nogil:
    if queue_us >= LOSS_QUEUE_US or now - l.ours_us < LOSS_OURS_US:
        _bound(l, arrived_bps, rtt, now)
        return
    l.state = LOSS_TRIES
    l.before = l.recent
    l.bps = arrived_bps * LOSS_TRY_PERMILLE // 1000
    _settle(l, rtt, now)


cdef void _judge(Loss* l, u64 arrived_bps, us_t rtt, us_t now) noexcept nogil:
    cdef double share = <double> max(l.try_lost, 0) / l.try_told
    if share <= (l.own + l.before) / 2:
        l.ours_us = now
        _bound(l, max(arrived_bps, l.bps), rtt, now)
        return
    l.own = l.recent = (share + l.before) / 2
    _lift(l)


cdef void _learn(Loss* l) noexcept nogil:
    cdef double weight = <double> LOSS_SLOW_PERMILLE / 1000
    l.own += (l.recent - l.own) * (weight if l.recent < l.own else weight / 2)


cdef void _grow(Loss* l, u64 other_bps, us_t now) noexcept nogil:
    cdef us_t passed = min(now - l.grown_us, <us_t> US_PER_S)
    l.grown_us = now
    if l.recent > l.own + _excess() / 2:
        return
    l.bps += <u64> (l.bps * (<double> LOSS_UP_PERMILLE / 1000) * passed / US_PER_S)
    if l.bps > other_bps * LOSS_FREE_PERMILLE // 1000:
        _lift(l)


cdef void loss_round(Loss* l, u64 arrived_bps, u64 other_bps, us_t queue_us, us_t rtt, us_t now) noexcept nogil:
    cdef double share
    if now - l.round_us < LOSS_ROUND_US or l.told < LOSS_ROUND_PACKETS:
        return
    share = <double> max(min(l.lost, l.told), 0) / l.told
    if now >= l.settled_us:
        l.recent += (share - l.recent) * l.told / (l.told + LOSS_MEMORY)
        l.try_told += l.told
        l.try_lost += l.lost
    l.told = l.lost = 0
    l.round_us = now
    if now < l.settled_us:
        return
    if l.state == LOSS_TRIES:
        if l.try_told >= LOSS_TRY_PACKETS:
            _judge(l, arrived_bps, rtt, now)
    elif l.recent > l.own + _excess():
        _put_to_the_test(l, arrived_bps, queue_us, rtt, now)
    else:
        _learn(l)
        if l.state == LOSS_BOUNDS:
            _grow(l, other_bps, now)
