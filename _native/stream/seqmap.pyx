"""Source packet indices to outgoing indices; see seqmap.pxd for the contract.

One remembered span is a dropped run (``first`` to ``last``, none for the span that a switch begins) and the offset of everything
behind it, up to the next span.
"""

from libc.string cimport memset
from simplestchat._native.core.types cimport E_REPLAY, OK, i64, u16, u64


cdef void seqmap_init(SeqMap* m, u64 first_out) noexcept nogil:
    memset(m, 0, sizeof(SeqMap))
    m.next_out = first_out


cdef inline SeqSpan* _push(SeqMap* m) noexcept nogil:
    m.head = (m.head + 1) % SEQMAP_SPANS
    if m.count < SEQMAP_SPANS:
        m.count += 1
    return &m.spans[m.head]


cdef inline void _begin(SeqMap* m, u64 index) noexcept nogil:
    cdef SeqSpan* span
    m.count = 0
    span = _push(m)
    span.first = index
    span.last = index
    span.offset = <i64>(index - m.next_out)
    m.offset = span.offset
    span.dropped = 0
    m.begun = 1


cdef inline const SeqSpan* _span_of(const SeqMap* m, u64 index) noexcept nogil:
    # Late packets are mostly a few spans back, so the search goes from the newest; SEQMAP_SPANS steps at most.
    cdef u16 i, at
    for i in range(m.count):
        at = <u16>((m.head + SEQMAP_SPANS - i) % SEQMAP_SPANS)
        if index >= m.spans[at].first:
            return &m.spans[at]
    return NULL


cdef int seqmap_look_up(SeqMap* m, u64 index, u64* out) noexcept nogil:
    cdef const SeqSpan* span
    if not m.begun:
        _begin(m, index)
        m.highest_in = index
    if index >= m.highest_in:
        span = &m.spans[m.head]
    else:
        span = _span_of(m, index)
    if span == NULL or (span.dropped and index <= span.last):
        return E_REPLAY
    if index > m.highest_in:
        m.highest_in = index
    out[0] = index - <u64>span.offset
    if out[0] >= m.next_out:
        m.next_out = out[0] + 1
    return OK


cdef void seqmap_drop(SeqMap* m, u64 index) noexcept nogil:
    cdef SeqSpan* span
    cdef i64 offset
    if not m.begun or index <= m.highest_in:
        return
    span = &m.spans[m.head]
    if span.dropped and span.last == index - 1:
        span.last = index
        span.offset += 1
    else:
        offset = span.offset
        span = _push(m)
        span.first = index
        span.last = index
        span.offset = offset + 1
        span.dropped = 1
    m.offset = span.offset
    m.highest_in = index


cdef void seqmap_switch(SeqMap* m) noexcept nogil:
    m.begun = 0
    m.count = 0
