"""Runs of an encoding's packets; see runs.pxd for the contract."""

from simplestchat._native.core.types cimport u64, us_t
from simplestchat._native.peer.ledger cimport Ledger
from simplestchat._native.peer.receiver cimport RECEIVER_RUNS, Receiver
from simplestchat._native.peer.stamp cimport STAMP_KEYFRAME, Stamp
from simplestchat._native.peer.tally cimport TALLY_BACK, Tally, tally_begin, tally_settle

cdef enum:
    _NEVER = 0x7FFFFFFFFFFFFFFF


cdef Tally* run_begin(Receiver* r, const Stamp* stamp, const Ledger* ledger) noexcept nogil:
    r.last = (r.last + 1) % RECEIVER_RUNS
    cdef Tally* t = &r.tallies[r.last]
    if t.used:
        tally_settle(t, <us_t> _NEVER, ledger, &r.losses)
    tally_begin(t, r.who, stamp.track, stamp.layer, stamp.counter, stamp.frame)
    return t


# Does a packet just below or behind a run belong to it?
cdef inline bint _adjoins(const Receiver* r, const Tally* t, const Stamp* stamp, bint current) noexcept nogil:
    if stamp.counter >= t.next:
        if current:
            return True
        return stamp.counter < t.next + TALLY_BACK and (not stamp.flags & STAMP_KEYFRAME or stamp.frame <= t.last_frame)
    if r.settings.video and stamp.frame != t.first_frame and not stamp.flags & STAMP_KEYFRAME:
        return False
    return <u64> stamp.counter + TALLY_BACK >= t.first


# The run `back` before the present one, of the encoding that the packet is of; NULL when there is none, or when it was closed
# before the packet was due.
cdef inline Tally* _run_of(Receiver* r, const Stamp* stamp, int back) noexcept nogil:
    cdef Tally* t = &r.tallies[(r.last + RECEIVER_RUNS - back) % RECEIVER_RUNS]
    if not t.used or t.layer != stamp.layer or (t.used == RUN_CLOSED and stamp.sent_us > r.ended_us):
        return NULL
    return t


cdef Tally* run_of(Receiver* r, const Stamp* stamp, const Ledger* ledger) noexcept nogil:
    cdef Tally* t
    cdef int back
    for back in range(RECEIVER_RUNS):
        t = _run_of(r, stamp, back)
        if t and t.first <= stamp.counter < t.next:
            return t
    for back in range(RECEIVER_RUNS):
        t = _run_of(r, stamp, back)
        if t and _adjoins(r, t, stamp, back == 0 and t.used != RUN_CLOSED):
            return t
    t = &r.tallies[r.last]
    if not t.used or t.used == RUN_CLOSED:
        return run_begin(r, stamp, ledger) if not r.settings.video or stamp.flags & STAMP_KEYFRAME else NULL
    if t.layer == stamp.layer or stamp.frame < t.last_frame:
        return NULL
    return run_begin(r, stamp, ledger)
