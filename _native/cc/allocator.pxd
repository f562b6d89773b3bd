# What one receiver gets of each video it watches, so that all of it fits its bandwidth: by rank, fairly within a rank, without flapping.
#
# A want's choices are a ladder of rungs: (spatial, temporal) in that order, without those that are not alive and those that cost no less
# than a better one. Everybody gets the lowest rung, by rank, before anybody gets a second; then the ranks climb in turn, and within a
# rank whoever gets the least bits climbs next. What does not fit is left out, and what is left goes to those for whom it does.
#
# Stability. What is sent may stay as long as it fits in the whole budget; more is added only with a margin. It is a tenth of the budget,
# or, if that is more, what leaves a fiftieth of the least that the budget was in the last 5 to 10 s: an estimate that has proven itself
# may be used nearly whole. Who lost something to bandwidth waits before climbing, longer with each climb that failed soon.
from simplestchat._native.core.types cimport i8, u8, u32, u64, us_t

cdef enum:
    ALLOC_LAYERS = 4                 # spatial, and temporal
    ALLOC_RUNGS = 16
    ALLOC_LOG_ROWS = 64
    ALLOC_MARGIN = 10                # a tenth: above what an estimate wavers by on a steady link (5 % either way)
    ALLOC_PROVEN_MARGIN = 50         # a fiftieth
    ALLOC_PROOF_US = 5000000         # half of the time over which the least budget is kept
    ALLOC_CLIMB_GAP_US = 1000000     # between two climbs of one want, for a keyframe has to come in between
    ALLOC_HOLD_US = 4000000          # after a fall, doubled with each strike
    ALLOC_HOLD_MAX_US = 120000000
    ALLOC_STRIKE_US = 30000000       # a fall so soon after a climb: the climb failed
    ALLOC_FORGET_US = 60000000       # strikes are forgotten when nothing was lost for so long
    ALLOC_MAX_STRIKES = 5
    # Rates of video waver, and an estimate falls by a seventh for a queue that a burst left, and comes back in seconds. What is sent
    # may pass the budget by a fifth for so long, until the estimate falls again because the queue stays.
    ALLOC_GRACE = 5
    ALLOC_GRACE_US = 4000000
    # A picture is not taken away for an estimate that dips: the least of the most important one may be so many times the budget for so
    # long. And where nothing is sent at all one is tried that is so many times it.
    ALLOC_LAST = 4
    ALLOC_ATTEMPT = 2
    ALLOC_ATTEMPT_US = 30000000      # after the last one at most
    ALLOC_LAST_US = 3000000

# Why a want gets what it gets.
cdef enum AllocReason:
    ALLOC_WANTED                     # all that it wants
    ALLOC_HIDDEN                     # it wants nothing
    ALLOC_BANDWIDTH                  # more does not fit
    ALLOC_SOURCE                     # the publisher sends no more
    ALLOC_HELD                       # more would fit, and waits its time
    ALLOC_YIELDED                    # what it had went to another
    ALLOC_REASONS

cdef struct Want:                    # zeroed, then want_init
    # The caller's, before each allocation.
    u32 id                           # for the log
    u8 rank                          # lower is served first, equal ones share
    u8 still                         # hardly moves (a screen): any frame rate will do for a larger picture
    u8 spatial_count, temporal_count # of the source
    i8 max_spatial, max_temporal     # the most that it wants; -1: nothing
    u32 rates[ALLOC_LAYERS][ALLOC_LAYERS]      # bps of all that must be sent for (spatial, temporal); 0: not alive
    u32 nominal[ALLOC_LAYERS][ALLOC_LAYERS]    # what a layer that is not alive would take; 0: not known, or not to be had
    # The allocation's.
    i8 spatial, temporal             # what to send; -1, -1: nothing
    i8 wished_spatial, wished_temporal         # what would be sent if the publisher's sleeping layers were awake
    u8 reason
    u8 strikes                       # climbs that failed soon
    us_t changed_us, fell_us, climbed_us       # the last times; 0: never
    us_t held_us                     # no climb before
    # Of use within one allocation only.
    Want* next
    u32 key
    i8 rung, kept, top               # numbers of rungs; -1: none
    u8 ranked                        # the rank that it had at the last allocation
    u8 rungs[ALLOC_RUNGS]            # spatial * ALLOC_LAYERS + temporal
    u32 prices[ALLOC_RUNGS + 1]      # bps; [0] is of rung -1, which costs nothing

cdef struct AllocRow:
    us_t at_us
    u64 estimate_bps                 # Allocator.estimate_bps
    u32 id
    i8 from_spatial, from_temporal, to_spatial, to_temporal
    u8 reason

cdef struct Allocator:               # one for each receiver; zeroed is ready
    u64 estimate_bps                 # the caller's, for the log
    # What the last allocation found, all in terms of its budget.
    u64 budget_bps
    u64 taken_bps
    u64 next_bps                     # with this budget the next climb would happen; 0: nobody may climb
    u32 changes                      # wants whose choice changed; their changed_us is that time
    u64 all_bps                      # all that is wanted, sleeping layers counted as awake
    us_t proof_us                    # when the younger half of the proof began
    u64 least_bps, older_bps         # the least budgets of both halves; 0: no proof yet
    us_t over_us                     # since when more is sent than the budget; 0: it is not
    us_t last_us
    AllocRow* log                    # NULL before the first change
    u32 logged                       # rows ever written: the ring's next is this modulo ALLOC_LOG_ROWS

cdef void want_init(Want* w, u32 id) noexcept nogil
cdef void allocator_free(Allocator* a) noexcept nogil
# Chooses for all wants of a receiver and returns what they take. `budget_bps`: the estimate less audio and repairs. The array is put in
# order of rank.
cdef u64 allocate(Allocator* a, Want** wants, u32 count, u64 budget_bps, us_t now) noexcept nogil
# The rows of the log, oldest first: how many there are in `out` (room for ALLOC_LOG_ROWS).
cdef u32 allocator_rows(const Allocator* a, AllocRow* out) noexcept nogil
cdef const char* alloc_reason(u8 reason) noexcept nogil
