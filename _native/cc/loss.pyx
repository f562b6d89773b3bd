"""The loss-based bound; see loss.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport US_PER_S, i32, u64, us_t

cdef enum:
    _NO_BOUND = 0xFFFFFFFFFFFFFFFF


cdef void loss_init(Loss* l, us_t now) noexcept nogil:
    memset(l, 0, sizeof(Loss))
    l.bps = <u64> _NO_BOUND
    l.round_us = l.settled_us = l.rested_us = now


cdef inline u64 _share(u64 bps, u64 permille) noexcept nogil:
    return bps * permille // 1000


# How much must be lost to be put to the test.
cdef inline double _suspicious(const Loss* l) noexcept nogil:
    return l.own + max(<double> LOSS_EXCESS_PERMILLE / 1000, l.own / 2)


# What is told from a round trip later on counts for the new phase.
cdef void _enter(Loss* l, LossState state, u64 bps, us_t rtt, us_t now) noexcept nogil:
    l.state = state
    l.bps = bps
    l.settled_us = now + rtt + LOSS_SETTLE_US
    l.grown_us = l.settled_us
    l.phase_told = l.phase_lost = 0
    l.recent = l.own


cdef void loss_lift(Loss* l, us_t rtt, us_t now) noexcept nogil:
    _enter(l, LOSS_FREE, <u64> _NO_BOUND, rtt, now)


cdef void _noise(Loss* l, double share, us_t rtt, us_t now) noexcept nogil:
    l.own = max(l.own, (share + l.before) / 2)
    l.rested_us = now + LOSS_REST_US
    loss_lift(l, rtt, now)


cdef void _bound(Loss* l, us_t rtt, us_t now) noexcept nogil:
    _enter(l, LOSS_BOUNDS, _share(l.arrived_bps, LOSS_BOUND_PERMILLE), rtt, now)


cdef void _judge_phase(Loss* l, u64 sent_bps, us_t rtt, us_t now) noexcept nogil:
    cdef us_t lasted = now - l.settled_us
    cdef double share, quiet = l.own + (l.before - l.own) * LOSS_QUIET_PERMILLE / 1000
    if lasted < LOSS_PHASE_US or (l.phase_told < LOSS_PHASE_PACKETS and lasted < LOSS_PHASE_MOST_US):
        return
    share = <double> max(l.phase_lost, 0) / max(l.phase_told, 1)
    if l.state != LOSS_MORE:
        if share > quiet:
            _noise(l, share, rtt, now)
        elif l.state == LOSS_LESS:
            _enter(l, LOSS_MORE, _share(l.arrived_bps, LOSS_MORE_PERMILLE), rtt, now)
        else:
            _bound(l, rtt, now)
    elif share > l.own + <double> LOSS_BACK_PERMILLE / 1000:
        _enter(l, LOSS_AGAIN, _share(l.arrived_bps, LOSS_LESS_PERMILLE), rtt, now)
    elif sent_bps > l.arrived_bps:
        loss_lift(l, rtt, now)       # it went by itself
    else:
        # The source had no use for the high rate: nothing is proven, so only the rate that it began with is kept out.
        _enter(l, LOSS_UNSURE, max(_share(l.sent_bps, LOSS_UNSURE_PERMILLE), l.bps), rtt, now)


cdef void _suspect(Loss* l, u64 arrived_bps, u64 sent_bps, us_t rtt, us_t now) noexcept nogil:
    l.before = l.recent
    if l.state >= LOSS_BOUNDS:
        # A bound that goes down and down, and the loss remains: it was never ours.
        l.bps = max(_share(arrived_bps, LOSS_BOUND_PERMILLE), _share(l.bps, 900))
        if l.bps < _share(l.arrived_bps, LOSS_DOUBT_PERMILLE):
            _noise(l, l.recent, rtt, now)
        else:
            _enter(l, l.state, l.bps, rtt, now)
        return
    if now < l.rested_us and l.recent < 2 * _suspicious(l):
        return
    l.arrived_bps = arrived_bps
    l.sent_bps = sent_bps
    _enter(l, LOSS_LESS, _share(arrived_bps, LOSS_LESS_PERMILLE), rtt, now)


cdef void _grow(Loss* l, u64 other_bps, us_t rtt, us_t now) noexcept nogil:
    cdef us_t passed = min(now - l.grown_us, <us_t> US_PER_S)
    l.grown_us = now
    if l.recent > l.own + <double> LOSS_EXCESS_PERMILLE / 2000:
        return
    l.bps += <u64> (l.bps * (<double> LOSS_UP_PERMILLE / 1000) * passed / US_PER_S)
    if l.bps > _share(other_bps, LOSS_FREE_PERMILLE):
        loss_lift(l, rtt, now)


cdef void loss_forget(Loss* l, us_t rtt, us_t now) noexcept nogil:
    l.told = l.lost = 0
    l.round_us = now
    _enter(l, LOSS_FREE, <u64> _NO_BOUND, rtt, now)


cdef bint loss_round(Loss* l, u64 arrived_bps, u64 sent_bps, u64 other_bps, us_t queue_us, us_t rtt, us_t now) noexcept nogil:
    cdef double share
    if now - l.round_us < LOSS_ROUND_US or l.told < LOSS_ROUND_PACKETS:
        return False
    share = <double> max(min(l.lost, l.told), 0) / l.told
    if now >= l.settled_us:
        l.recent += (share - l.recent) * l.told / (l.told + LOSS_MEMORY)
        l.average += (share - l.average) / LOSS_AVERAGE_ROUNDS
        l.phase_told += l.told
        l.phase_lost += l.lost
    l.told = l.lost = 0
    l.round_us = now
    if now < l.settled_us:
        return False
    if LOSS_FREE < l.state < LOSS_BOUNDS:
        _judge_phase(l, sent_bps, rtt, now)
    elif queue_us >= LOSS_QUEUE_US:
        if l.recent > l.own + <double> LOSS_FULL_PERMILLE / 1000:
            _enter(l, l.state, l.bps, rtt, now)
            return True
    elif l.recent > _suspicious(l):
        _suspect(l, arrived_bps, sent_bps, rtt, now)
    else:
        # What the path has not lost for long it does not lose any more.
        l.own += (l.average - l.own) / (4 * LOSS_AVERAGE_ROUNDS) if l.average < l.own else 0
        if l.state >= LOSS_BOUNDS:
            _grow(l, other_bps, rtt, now)
    return False
