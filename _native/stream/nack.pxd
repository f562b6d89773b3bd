# Which packets of a received stream are missing and when to ask for them (RFC 4585 section 6.2.1).
#
# A gap is asked for at once, again after max(20 ms, RTT), at most NACK_MAX_TRIES times and for NACK_MAX_AGE_US; a packet that comes late is
# struck off. A gap that does not fit forgets everything and says that only a keyframe helps.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport NackItem

cdef enum:
    NACK_CAPACITY = 256
    NACK_MAX_TRIES = 10
    NACK_MAX_AGE_US = 1000000
    NACK_MIN_GAP_US = 20000
    NACK_DOUBTS = 8
    NACK_LONGEST_GUESS_US = 400000
    NACK_NO_DEADLINE = 0x7FFFFFFFFFFFFFFF

cdef struct NackEntry:
    u64 index
    us_t first_us            # when it was found missing
    us_t next_us             # when it may be asked for (again)
    us_t asked_us            # when it was last asked for
    u8 tries

cdef struct NackList:
    NackEntry entries[NACK_CAPACITY]    # ascending by index
    u16 count
    u8 begun
    u8 overflowed            # set when the list was forgotten; the caller clears it after asking for a keyframe
    u8 guessed               # rtt_us is more than it, perhaps
    u8 doubts                # repairs in vain since the last sample
    u64 highest
    us_t rtt_us              # smoothed round trip to the sender, 0 until a repair told it
    us_t deadline            # least next_us, NACK_NO_DEADLINE when nothing is due ever

cdef void nack_init(NackList* n) noexcept nogil
# A packet with this index came. 1 when it had been missing, else 0.
cdef int nack_received(NackList* n, u64 index, us_t now) noexcept nogil
# A retransmission of this packet came: the time since it was asked for, if it was asked for once (Karn's rule), is a
# round trip. Else one that is longer than the gap between questions would never be learned: where nothing is known, the time since
# the packet was missed is taken until a better one comes; and what is known doubles when NACK_DOUBTS repairs come in vain, while others are
# missing and before one says better. To be called before nack_received.
cdef void nack_repaired(NackList* n, u64 index, us_t now) noexcept nogil
# What to ask for now: number of items in out (at most cap). Entries that are too old or were asked too often are given up;
# *given_up is their number.
cdef int nack_collect(NackList* n, us_t now, us_t rtt, NackItem* out, int cap, u32* given_up) noexcept nogil
