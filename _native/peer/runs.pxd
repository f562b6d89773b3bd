# Which run of a subscription's packets one belongs to: each encoding counts for itself, and at a switch the count goes on with the other's.
#
# Of RECEIVER_RUNS runs the oldest is settled when another begins.
from simplestchat._native.peer.ledger cimport Ledger
from simplestchat._native.peer.receiver cimport Receiver
from simplestchat._native.peer.stamp cimport Stamp
from simplestchat._native.peer.tally cimport Tally

cdef enum:
    RUN_CLOSED = 2               # Tally.used of a run before the last resume: only what was due before the end belongs to it

# The run of this packet; a new one when it begins one; NULL when it does not count.
cdef Tally* run_of(Receiver* r, const Stamp* stamp, const Ledger* ledger) noexcept nogil
# A new run begins with this packet, which is still to be counted.
cdef Tally* run_begin(Receiver* r, const Stamp* stamp, const Ledger* ledger) noexcept nogil
