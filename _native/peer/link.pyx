"""One direction of an emulated network path; see link.pxd.

Datagrams in flight lie in slots of chunks that are added as they are needed and kept: a packet allocates nothing once the link
has seen its like. A binary heap orders them by arrival, equal times by their coming in.

Chance is a counter hashed (splitmix64, Steele et al. 2014): each packet has DRAWS numbers of its own, each for one question. So what
becomes of a packet depends on its place in the row alone, and a change of one condition leaves the answers to the others as they are.
"""

from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy

from simplestchat._native.core.types cimport E_NOMEM, E_SPACE, E_STATE, OK, u32, u64, u8, us_t
from simplestchat._native.engine.entities cimport NEVER_US

cdef enum:
    CHUNK = 8                      # slots
    CHUNKS = LINK_MAX_QUEUED // CHUNK
    FIRST_HEAP = 32
    JITTER_DRAWS = 3
    NORMAL_MEAN = 393210           # of twelve numbers of 16 bits: 12 * 65535 / 2
    NS_PER_US = 1000

# What is asked of chance about each packet.
cdef enum Draw:
    DRAW_LOSS
    DRAW_BURST_TURN
    DRAW_BURST_LOSS
    DRAW_JITTER                    # and the two behind it
    DRAW_JITTER_END = 5
    DRAW_REORDER
    DRAW_DUPLICATE
    DRAW_CORRUPT
    DRAW_BIT
    DRAW_CORRUPT_COPY
    DRAW_BIT_COPY
    DRAWS

cdef struct Slot:
    u32 size
    u8 data[LINK_MAX_DATAGRAM]

cdef struct Arrival:
    us_t at
    u64 order
    u32 slot

cdef struct Link:
    LinkSettings settings
    LinkTotals totals
    u64 origin                     # of the packets' numbers
    u64 drawn                      # packets that asked chance
    u64 order
    us_t last_arrival
    us_t free_ns                   # when the bottleneck has sent everything; nanoseconds, for fast ones
    u64 free_rate                  # that it was computed with
    bint bad                       # Gilbert-Elliott's state
    u32 queued
    u32 capacity                   # of heap and idle
    u32 slots                      # that have memory
    Arrival* heap
    u32* idle                      # a stack of slots - queued slots without a datagram
    Slot* chunks[CHUNKS]


cdef inline u64 _mix(u64 z) noexcept nogil:
    z = (z ^ (z >> 30)) * <u64>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <u64>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline u64 _draw(const Link* l, int question) noexcept nogil:
    return _mix(l.origin + (l.drawn * DRAWS + question + 1) * <u64>0x9E3779B97F4A7C15)


cdef inline bint _happens(const Link* l, u32 probability, int question) noexcept nogil:
    if probability == 0:
        return False
    return probability == LINK_CERTAIN or <u32>(_draw(l, question) >> 32) < probability


cdef inline Slot* _slot(const Link* l, u32 number) noexcept nogil:
    return &l.chunks[number // CHUNK][number % CHUNK]


cdef Link* link_new(u64 seed) noexcept nogil:
    cdef Link* l = <Link*>calloc(1, sizeof(Link))
    if l != NULL:
        link_reseed(l, seed)
    return l


cdef void link_reseed(Link* l, u64 seed) noexcept nogil:
    l.origin = _mix(seed + <u64>0x9E3779B97F4A7C15)    # or neighbouring seeds would walk the same row
    l.drawn = 0
    l.bad = False


cdef void link_free(Link* l) noexcept nogil:
    cdef int i
    if l == NULL:
        return
    for i in range(CHUNKS):
        free(l.chunks[i])
    free(l.heap)
    free(l.idle)
    free(l)


cdef void link_set(Link* l, const LinkSettings* settings) noexcept nogil:
    l.settings = settings[0]
    if settings.queue_us and settings.rate_bps:
        l.settings.queue_bytes = <u32>min(<double>settings.rate_bps / 8e6 * <double>settings.queue_us, <double>0xFFFFFFFF)
    # No more than that can be in flight anyway; and so spans stay far below 2**63 ns at any rate.
    l.settings.queue_bytes = min(l.settings.queue_bytes, <u32>(LINK_MAX_QUEUED * LINK_MAX_DATAGRAM))
    if settings.burst_enter == 0:
        l.bad = False


cdef us_t link_deadline(const Link* l) noexcept nogil:
    return l.heap[0].at if l.queued else NEVER_US


cdef us_t link_queue_us(const Link* l, us_t now) noexcept nogil:
    cdef us_t left = l.free_ns // NS_PER_US - now
    if l.settings.rate_bps == 0 or l.free_rate == 0 or left <= 0:
        return 0
    return <us_t>(<double>left * <double>l.free_rate / <double>l.settings.rate_bps)


cdef u64 link_rate(const Link* l) noexcept nogil:
    return l.settings.rate_bps


cdef u32 link_queued(const Link* l) noexcept nogil:
    return l.queued


cdef void link_totals(const Link* l, LinkTotals* out) noexcept nogil:
    out[0] = l.totals


cdef int _grow_tables(Link* l) noexcept nogil:
    cdef u32 capacity = l.capacity * 2 if l.capacity else FIRST_HEAP
    cdef void* heap = realloc(l.heap, capacity * sizeof(Arrival))
    cdef void* idle
    if heap == NULL:
        return E_NOMEM
    l.heap = <Arrival*>heap
    idle = realloc(l.idle, capacity * sizeof(u32))
    if idle == NULL:
        return E_NOMEM
    l.idle = <u32*>idle
    l.capacity = capacity
    return OK


cdef int _grow(Link* l) noexcept nogil:
    """Memory for CHUNK datagrams more."""
    cdef Slot* chunk
    cdef u32 i
    if l.slots + CHUNK > l.capacity and _grow_tables(l) != OK:
        return E_NOMEM
    chunk = <Slot*>malloc(CHUNK * sizeof(Slot))
    if chunk == NULL:
        return E_NOMEM
    l.chunks[l.slots // CHUNK] = chunk
    for i in range(<u32>CHUNK):
        l.idle[l.slots - l.queued + i] = l.slots + i
    l.slots += CHUNK
    return OK


cdef inline bint _before(const Arrival* a, const Arrival* b) noexcept nogil:
    return a.at < b.at or (a.at == b.at and a.order < b.order)


cdef void _push(Link* l, us_t at, u32 slot) noexcept nogil:
    cdef Arrival new
    cdef u32 i = l.queued
    new.at = at
    new.order = l.order
    new.slot = slot
    l.order += 1
    l.queued += 1
    while i and _before(&new, &l.heap[(i - 1) // 2]):
        l.heap[i] = l.heap[(i - 1) // 2]
        i = (i - 1) // 2
    l.heap[i] = new


cdef Arrival _pop(Link* l) noexcept nogil:
    cdef Arrival first = l.heap[0]
    cdef Arrival last
    cdef u32 i = 0
    cdef u32 child = 1
    l.queued -= 1
    last = l.heap[l.queued]
    while child < l.queued:
        if child + 1 < l.queued and _before(&l.heap[child + 1], &l.heap[child]):
            child += 1
        if not _before(&l.heap[child], &last):
            break
        l.heap[i] = l.heap[child]
        i = child
        child = 2 * i + 1
    l.heap[i] = last
    return first


cdef bint _is_lost(Link* l) noexcept nogil:
    cdef bint burst = False
    if l.settings.burst_enter or l.bad:
        if _happens(l, l.settings.burst_leave if l.bad else l.settings.burst_enter, DRAW_BURST_TURN):
            l.bad = not l.bad
        burst = l.bad and _happens(l, l.settings.burst_loss, DRAW_BURST_LOSS)
    return burst or _happens(l, l.settings.loss, DRAW_LOSS)


cdef us_t _depart(Link* l, u32 size, us_t now) noexcept nogil:
    """When its last bit leaves the bottleneck, -1 when the queue is full."""
    cdef us_t now_ns = now * NS_PER_US
    cdef double rate = <double>l.settings.rate_bps
    cdef double waiting = 0            # bytes
    if l.free_ns > now_ns:
        waiting = <double>(l.free_ns - now_ns) * <double>l.free_rate / 8e9
    l.free_rate = l.settings.rate_bps
    if l.free_rate == 0:
        l.free_ns = 0
        return now
    if waiting > 0 and waiting + size > l.settings.queue_bytes:
        l.free_ns = now_ns + <us_t>(waiting * 8e9 / rate)
        return -1
    l.free_ns = now_ns + <us_t>((waiting + size) * 8e9 / rate)
    return (l.free_ns + NS_PER_US - 1) // NS_PER_US


cdef us_t _jittered(const Link* l) noexcept nogil:
    """The delay of this packet: normal by the sum of twelve uniform numbers, which ends at six standard deviations."""
    cdef us_t sum = -NORMAL_MEAN
    cdef u64 drawn
    cdef int i
    if l.settings.jitter_us == 0:
        return l.settings.delay_us
    for i in range(JITTER_DRAWS):
        drawn = _draw(l, DRAW_JITTER + i)
        sum += <us_t>((drawn & 0xFFFF) + (drawn >> 16 & 0xFFFF) + (drawn >> 32 & 0xFFFF) + (drawn >> 48))
    return max(0, l.settings.delay_us + <us_t>(<double>sum * <double>l.settings.jitter_us / 65536.0))


cdef int _enqueue(Link* l, const u8* data, u32 size, us_t at, int corrupt) noexcept nogil:
    """A copy that arrives at `at`. `corrupt` is the question whether a bit flips; which one is asked next."""
    cdef Slot* slot
    cdef u32 number
    cdef u64 bit
    if l.queued == LINK_MAX_QUEUED:
        return E_STATE
    if l.queued == l.slots and _grow(l) != OK:
        return E_NOMEM
    number = l.idle[l.slots - l.queued - 1]
    slot = _slot(l, number)
    slot.size = size
    memcpy(slot.data, data, size)
    if _happens(l, l.settings.corrupt, corrupt):
        bit = _draw(l, corrupt + 1) % (8 * <u64>size)
        slot.data[bit // 8] ^= <u8>(1 << (bit % 8))
        l.totals.corrupted += 1
    _push(l, at, number)
    return OK


cdef int _pass(Link* l, const u8* data, u32 size, us_t now) noexcept nogil:
    cdef us_t at
    cdef bint late
    cdef int status
    if _is_lost(l):
        l.totals.lost += 1
        return OK
    at = _depart(l, size, now)
    if at < 0:
        l.totals.queue_drops += 1
        return OK
    at += _jittered(l)
    late = _happens(l, l.settings.reorder, DRAW_REORDER)
    if late:
        at += l.settings.reorder_us
    elif at < l.last_arrival:
        at = l.last_arrival
    status = _enqueue(l, data, size, at, DRAW_CORRUPT)
    if status == E_STATE:
        l.totals.queue_drops += 1
        return OK
    if status != OK:
        return status
    if late:
        l.totals.reordered += 1
    else:
        l.last_arrival = at
    if _happens(l, l.settings.duplicate, DRAW_DUPLICATE) and _enqueue(l, data, size, at, DRAW_CORRUPT_COPY) == OK:
        l.totals.duplicated += 1
    return OK


cdef int link_put(Link* l, const u8* data, u32 size, us_t now) noexcept nogil:
    cdef int status = OK
    if size == 0 or size > LINK_MAX_DATAGRAM:
        return E_SPACE
    if l.settings.outage:
        l.totals.outage_drops += 1
    else:
        status = _pass(l, data, size, now)
        if status != OK:
            return status
    l.drawn += 1
    l.totals.packets += 1
    l.totals.bytes += size
    return OK


cdef u32 link_take(Link* l, us_t now, const u8** data, us_t* at) noexcept nogil:
    cdef Arrival arrival
    if l.queued == 0 or l.heap[0].at > now:
        return 0
    arrival = _pop(l)
    l.idle[l.slots - l.queued - 1] = arrival.slot
    l.totals.delivered += 1
    data[0] = _slot(l, arrival.slot).data
    at[0] = arrival.at
    return _slot(l, arrival.slot).size
