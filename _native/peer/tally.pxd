# Which of an encoding's packets came, each counted once: a window of bits over its counters, and what is missing until it is given up.
#
# Rules:
#  - A counter beyond the highest one makes those between missing; each is delivered when it comes, lost TALLY_SETTLE_US after the end of
#    the TALLY_SLOT_US in which it was missed.
#  - What leaves the window is settled early. What comes when it was settled as lost stays lost.
#  - A packet a little before the first one that came (TALLY_BACK at most, while nothing is settled) moves the beginning.
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.peer.ledger cimport LEDGER_SETTLE_US, Ledger

cdef enum:
    TALLY_SETTLE_US = LEDGER_SETTLE_US
    TALLY_SLOT_US = 262144       # 2**18
    TALLY_BACK = 64              # packets
    TALLY_MARKS = 12             # slots that can wait at a time: settling takes 9 of them

cdef enum TallyVerdict:
    TALLY_NEXT = 0               # delivered: the highest so far
    TALLY_FILLED = 1             # delivered: it had been missing
    TALLY_EARLIER = 2            # delivered: it moved the beginning
    TALLY_DUPLICATE = 3
    TALLY_TOO_LATE = 4           # lost already, or before the beginning

cdef struct TallyMark:
    us_t at                      # end of the slot in which ...
    u64 limit                    # ... everything below this was missed or came

cdef struct Tally:
    u64* bits                    # of the window, by counter & mask; owned by the caller
    u64 mask                     # packets of the window - 1; the window is a power of two, 64 at least
    u64 first                    # first counter that counts
    u64 next                     # one past the highest
    u64 settled                  # everything below is decided
    u64 missing                  # not decided yet
    TallyMark marks[TALLY_MARKS]
    u64 who                      # as the ledger's
    u32 first_frame              # for the owner: number of the frame that it began with
    u32 last_frame               # and of the newest one
    u8 track
    u8 layer
    u8 used                      # for the owner: 0 not, 1 and beyond as it likes
    u8 mark_first
    u8 mark_count

# What settling found; added to.
cdef struct TallyLosses:
    u64 lost
    u64 lost_uplink              # of these: the ledger knows nobody who got them

# Begins with `counter`, which is still to be given to tally_packet. bits and mask stay.
cdef void tally_begin(Tally* t, u64 who, u8 track, u8 layer, u32 counter, u32 frame) noexcept nogil
# One packet: a TallyVerdict. *missed: how many more are found missing. What is due is settled first. `ledger` may be NULL.
cdef int tally_packet(Tally* t, u32 counter, us_t now, const Ledger* ledger, u64* missed, TallyLosses* losses) noexcept nogil
# Everything below `next` should have come: how many more are missing.
cdef u64 tally_expect(Tally* t, u32 next, us_t now, const Ledger* ledger, TallyLosses* losses) noexcept nogil
# Decides what is due by `now`, forgets what is not, and says how many that were: nothing is missing any more.
cdef u64 tally_close(Tally* t, us_t now, const Ledger* ledger, TallyLosses* losses) noexcept nogil
# Decides what is due; all there is when `now` is far enough in the future.
cdef void tally_settle(Tally* t, us_t now, const Ledger* ledger, TallyLosses* losses) noexcept nogil
