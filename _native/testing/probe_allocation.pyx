"""Python doors to the division of bandwidth, to the pacer and to the speakers."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
cimport simplestchat._native.cc.allocator as _allocator
cimport simplestchat._native.cc.pacer as _pacer
cimport simplestchat._native.select.speakers as _speakers
from simplestchat._native.core.types cimport i8, u8, u32, u64, us_t

LAYERS = _allocator.ALLOC_LAYERS
LOG_ROWS = _allocator.ALLOC_LOG_ROWS
HOLD_US = _allocator.ALLOC_HOLD_US
STRIKE_US = _allocator.ALLOC_STRIKE_US
REASONS = [_allocator.alloc_reason(<u8>i).decode() for i in range(_allocator.ALLOC_REASONS)]


cdef class Want:
    """One video that a receiver watches; attributes as in allocator.pxd."""

    cdef _allocator.Want state

    def __cinit__(self, u32 id=0):
        _allocator.want_init(&self.state, id)

    def source(self, u8 spatial_count, u8 temporal_count, rates, nominal=()):
        """The source's shape; rates by (spatial, temporal) in rows, each as long as it likes."""
        cdef int s, t
        self.state.spatial_count = spatial_count
        self.state.temporal_count = temporal_count
        memset(self.state.rates, 0, sizeof(self.state.rates))
        memset(self.state.nominal, 0, sizeof(self.state.nominal))
        for s, row in enumerate(rates):
            for t, rate in enumerate(row):
                self.state.rates[s][t] = rate
        for s, row in enumerate(nominal):
            for t, rate in enumerate(row):
                self.state.nominal[s][t] = rate

    def view(self, i8 max_spatial, i8 max_temporal, u8 rank=1, bint still=False):
        """What the receiver wants of it."""
        self.state.max_spatial = max_spatial
        self.state.max_temporal = max_temporal
        self.state.rank = rank
        self.state.still = still

    def place(self, i8 spatial, i8 temporal):
        """Writes the last choice, as a caller could."""
        self.state.spatial = spatial
        self.state.temporal = temporal

    @property
    def id(self):
        return self.state.id

    @property
    def choice(self):
        return self.state.spatial, self.state.temporal

    @property
    def wish(self):
        return self.state.wished_spatial, self.state.wished_temporal

    @property
    def reason(self):
        return _allocator.alloc_reason(self.state.reason).decode()

    @property
    def changed_us(self):
        return self.state.changed_us

    @property
    def held_us(self):
        return self.state.held_us

    @property
    def strikes(self):
        return self.state.strikes


cdef class Allocator:
    """One receiver's allocation over a list of wants."""

    cdef _allocator.Allocator state

    def __dealloc__(self):
        _allocator.allocator_free(&self.state)

    def allocate(self, list wants, u64 budget_bps, us_t now, u32 repeat=1):
        """What is taken; `repeat` makes it many times, for counting instructions."""
        cdef u32 count = <u32>len(wants)
        cdef u64 taken = 0
        cdef u32 i
        cdef _allocator.Want** pointers = <_allocator.Want**>calloc(count + 1, sizeof(void*))
        if pointers == NULL:
            raise MemoryError
        for i in range(count):
            pointers[i] = &(<Want?>wants[i]).state
        with nogil:
            for i in range(repeat):
                taken = _allocator.allocate(&self.state, pointers, count, budget_bps, now)
        free(pointers)
        return taken

    def estimate(self, u64 estimate_bps):
        self.state.estimate_bps = estimate_bps

    @property
    def next_bps(self):
        return self.state.next_bps

    @property
    def all_bps(self):
        return self.state.all_bps

    @property
    def changes(self):
        return self.state.changes

    def rows(self):
        """The log, oldest first: time, id, from, to, reason, estimate."""
        cdef _allocator.AllocRow rows[_allocator.ALLOC_LOG_ROWS]
        cdef u32 count = _allocator.allocator_rows(&self.state, rows)
        return [
            (
                rows[i].at_us,
                rows[i].id,
                (rows[i].from_spatial, rows[i].from_temporal),
                (rows[i].to_spatial, rows[i].to_temporal),
                _allocator.alloc_reason(rows[i].reason).decode(),
                rows[i].estimate_bps,
            )
            for i in range(count)
        ]


cdef class Pacer:
    cdef _pacer.Pacer state

    def __cinit__(self, us_t now=0):
        _pacer.pacer_init(&self.state, now)

    def rate(self, u64 estimate_bps, us_t now):
        _pacer.pacer_rate(&self.state, estimate_bps, now)

    def may_send(self, us_t now):
        return _pacer.pacer_may_send(&self.state, now)

    def spend(self, u32 size, us_t now):
        _pacer.pacer_spend(&self.state, size, now)

    def ready_us(self):
        return _pacer.pacer_ready_us(&self.state)

    @property
    def rate_bps(self):
        return self.state.rate_bps


HEARD_MOST = _speakers.SPEAKERS_HEARD
PAUSE_US = _speakers.SPEAKERS_PAUSE_US
SPEAKER_BYTES = sizeof(_speakers.Speaker)


cdef class Speakers:
    """A group of so many speakers, numbered from 1."""

    cdef _speakers.SpeakerGroup group
    cdef _speakers.Speaker* speakers
    cdef u32 count

    def __cinit__(self, u32 count, us_t now=0):
        cdef u32 i
        self.count = count
        self.speakers = <_speakers.Speaker*>calloc(count + 1, sizeof(_speakers.Speaker))
        if self.speakers == NULL:
            raise MemoryError
        for i in range(1, count + 1):
            _speakers.speaker_join(&self.group, &self.speakers[i], i, now)

    def __dealloc__(self):
        free(self.speakers)

    def level(self, u32 number, u8 level, us_t now):
        """A packet's level; whether it is forwarded."""
        if not 1 <= number <= self.count:
            raise IndexError(number)
        _speakers.speaker_level(&self.speakers[number], level, now)
        return _speakers.speaker_heard(&self.speakers[number])

    def time_levels(self, us_t now, bytes levels, u32 rounds):
        """A packet of each speaker every 20 ms for so many rounds; their levels in turn."""
        cdef u32 i, j, at = 0
        cdef u32 size = <u32>len(levels)
        cdef const u8* level = levels
        with nogil:
            for i in range(rounds):
                for j in range(1, self.count + 1):
                    _speakers.speaker_level(&self.speakers[j], level[at], now)
                    at = at + 1 if at + 1 < size else 0
                now += 20000
        return now

    def tick(self, us_t now):
        """Whether the dominant one changed."""
        return _speakers.speakers_tick(&self.group, now)

    def limit(self, u8 limit):
        _speakers.speakers_limit(&self.group, limit)

    def join(self, u32 number, us_t now):
        if not 1 <= number <= self.count or self.speakers[number].group != NULL:
            raise IndexError(number)
        _speakers.speaker_join(&self.group, &self.speakers[number], number, now)

    def leave(self, u32 number):
        if not 1 <= number <= self.count:
            raise IndexError(number)
        _speakers.speaker_leave(&self.speakers[number])

    @property
    def dominant(self):
        """The number of the dominant one; 0: nobody."""
        return self.group.dominant.id if self.group.dominant != NULL else 0

    @property
    def members(self):
        return self.group.members

    def heard(self):
        """Who has one of the places."""
        return {i for i in range(1, self.count + 1) if self.speakers[i].heard}

    def listed(self):
        """Who is on the list of those that made a sound lately, in its order."""
        cdef _speakers.Speaker* s = self.group.first
        cdef _speakers.Speaker* before = NULL
        found = []
        while s != NULL:
            assert s.before == before
            found.append(s.id)
            before = s
            s = s.next
        return found
