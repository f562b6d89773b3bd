# Source packet indices to outgoing indices: continuous across packets that are not forwarded and across source switches.
#
# Out = in - offset. Dropping the newest packet grows the offset by one; late packets use the offset that was in force at their
# place, remembered for the last SEQMAP_SPANS changes; what is older than that, was dropped, or lies before a switch has no image.
from simplestchat._native.core.types cimport OK, i64, u8, u16, u64

cdef enum:
    SEQMAP_SPANS = 64

cdef struct SeqSpan:
    u64 first                # first source index of the span
    u64 last                 # last source index of a dropped run (dropped spans) or open
    i64 offset
    u8 dropped

# What the newest packets need comes first, in one line of the processor's cache.
cdef struct SeqMap:
    u64 next_out             # out index after the highest given
    u64 highest_in
    i64 offset               # of the newest span
    u8 begun                 # since init or switch, has a packet been seen
    u16 head                 # newest span
    u16 count
    SeqSpan spans[SEQMAP_SPANS]

cdef void seqmap_init(SeqMap* m, u64 first_out) noexcept nogil
# The image of a packet to forward. OK and *out, or E_REPLAY when it has none. The same input gives the same output.
cdef int seqmap_look_up(SeqMap* m, u64 index, u64* out) noexcept nogil
cdef inline int seqmap_forward(SeqMap* m, u64 index, u64* out) noexcept nogil:
    if not m.begun or index <= m.highest_in:
        return seqmap_look_up(m, index, out)
    # Newer than all before, so behind every dropped run.
    m.highest_in = index
    out[0] = index - <u64>m.offset
    if out[0] >= m.next_out:
        m.next_out = out[0] + 1
    return OK
# This packet is not forwarded and must leave no gap (only takes effect when it is newer than all before).
cdef void seqmap_drop(SeqMap* m, u64 index) noexcept nogil
# The next packet comes from another source, or from the same after a pause: it continues right after the highest output.
cdef void seqmap_switch(SeqMap* m) noexcept nogil
