# Which packets of each published encoding anybody of this process got: what nobody got was lost on its way to the server.
#
# A ring of bits per encoding, so memory is bounded; the subscribers of one encoding settle a packet only LEDGER_SETTLE_US after it was
# due, when all of them had their chance. `who` is the publisher's index with the number of its visit in the upper 32 bits: counters begin
# anew at each visit, so the first packet of a later one forgets those before.
from simplestchat._native.core.table cimport Table64
from simplestchat._native.core.types cimport u32, u64, u8, us_t

cdef enum:
    LEDGER_BITS = 65536            # packets remembered of an encoding
    LEDGER_MAX_STREAMS = 16384
    LEDGER_SETTLE_US = 2000000

cdef struct Ledger:
    Table64 streams                # by user, track and layer, to a ring of bits

cdef Ledger* ledger_new(u64 seed) noexcept nogil
cdef void ledger_free(Ledger* l) noexcept nogil
# OK, or E_LIMIT when there are too many encodings (then hops cannot be told and losses count as downlink's).
cdef int ledger_delivered(Ledger* l, u64 who, u8 track, u8 layer, u32 counter) noexcept nogil
# What is too old for the ring, of a visit before the latest, or of an encoding that found no room, counts as delivered to somebody.
cdef bint ledger_anybody(const Ledger* l, u64 who, u8 track, u8 layer, u32 counter) noexcept nogil
