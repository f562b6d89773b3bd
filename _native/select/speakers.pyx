"""Who speaks, and who is heard; see speakers.pxd for the contract."""

from libc.math cimport log
from libc.string cimport memset
from simplestchat._native.core.types cimport i64, u8, u16, u32, u64, us_t

cdef enum:
    SILENCE = 127                # RFC 6464
    LOUD_ENOUGH = SPEAKERS_QUIETEST + 12         # to take a place that nobody else wants: more than breath
    LONG_FRAMES = SPEAKERS_MEDIUM * SPEAKERS_LONG

# How much more likely speech is than silence has to be beside the dominant one's, as logarithms (C1, C2 and C3 of the paper).
cdef double MORE_IMMEDIATE = 3.0
cdef double MORE_MEDIUM = 2.0
cdef double MORE_LONG = 0.0

# Logarithms of the likelihood ratios, by count. Speech: each of n is active with probability 1/2. Silence: exponential with the
# paper's rates, which are the less likely to be active the longer the time.
cdef double IMMEDIATE[SPEAKERS_IMMEDIATE + 1]
cdef double MEDIUM[SPEAKERS_MEDIUM + 1]
cdef double LONG[SPEAKERS_LONG + 1]


cdef void _tabulate(double* scores, int n, double decay) noexcept nogil:
    cdef double ratio, choices = 1
    cdef int v
    for v in range(n + 1):
        ratio = log(choices) + n * log(0.5) - log(decay) + decay * v
        scores[v] = log(max(ratio, 1e-10))
        choices = choices * (n - v) / (v + 1)


_tabulate(IMMEDIATE, SPEAKERS_IMMEDIATE, 0.78)
_tabulate(MEDIUM, SPEAKERS_MEDIUM, 24)
_tabulate(LONG, SPEAKERS_LONG, 47)


cdef extern from *:
    int popcount "__builtin_popcountll"(unsigned long long bits) noexcept nogil


# --- the list of those who spoke lately ---


cdef inline void _list(SpeakerGroup* g, Speaker* s) noexcept nogil:
    s.listed = 1
    s.before = NULL
    s.next = g.first
    if g.first != NULL:
        g.first.before = s
    g.first = s


cdef inline void _unlist(SpeakerGroup* g, Speaker* s) noexcept nogil:
    if s.before != NULL:
        s.before.next = s.next
    else:
        g.first = s.next
    if s.next != NULL:
        s.next.before = s.before
    s.next = s.before = NULL
    s.listed = 0


# --- levels ---


cdef inline u64 _frames_at(const Speaker* s, i64 frame) noexcept nogil:
    """The frames as they are at a later one: the last level lasts a little, then there is silence."""
    cdef i64 passed = frame - s.frame
    cdef i64 held
    if passed <= 0:
        return s.frames
    if passed >= 64:
        return 0
    held = min(passed, <i64>SPEAKERS_HELD_FRAMES - 1) if s.frames & 1 else 0
    return s.frames << passed | ((<u64>1 << held) - 1) << (passed - held)


cdef inline void _turn_to(Speaker* s, i64 frame, bint speech) noexcept nogil:
    """A level's frame begins, or goes on."""
    if frame == s.frame:
        s.frames |= speech
        return
    s.frames = _frames_at(s, frame - 1) << 1 | speech if frame > s.frame else <u64>speech
    s.frame = frame
    s.immediate = 0


cdef inline u8 _above_noise(Speaker* s, u8 level, i64 frame) noexcept nogil:
    """How far a level is above the speaker's noise, in dB; keeps the noise floor."""
    cdef i64 passed = frame - s.floor_frame
    cdef u8 quietest
    s.least = min(s.least, level)
    if passed >= SPEAKERS_FLOOR_US // SPEAKERS_FRAME_US or passed < 0:
        s.older = s.least
        s.least = level
        s.floor_frame = frame
    quietest = max(min(s.least, s.older), <u8>SPEAKERS_QUIETEST)
    return level - quietest if level > quietest else 0


cdef void speaker_level(Speaker* s, u8 level, us_t now) noexcept nogil:
    cdef SpeakerGroup* g = s.group
    cdef i64 frame = now // SPEAKERS_FRAME_US
    cdef u8 loud = SILENCE - min(level, <u8>SILENCE)
    cdef u8 above, steps
    if g == NULL:
        return
    # Packets that were late count where they come; only a clock that went back far is believed.
    if frame < s.frame and s.frame - frame < LONG_FRAMES:
        frame = s.frame
    above = _above_noise(s, loud, frame)
    steps = min(above // SPEAKERS_STEP_DB, <u8>SPEAKERS_IMMEDIATE)
    _turn_to(s, frame, steps >= SPEAKERS_FRAME_SPEECH)
    s.immediate = max(s.immediate, steps)
    if steps >= SPEAKERS_FRAME_SPEECH:
        # By an eighth of the difference: over some 160 ms.
        s.loudness = <u16>(s.loudness - (s.loudness >> 3) + (<u16>loud << 5)) if s.frames & 2 else <u16>(<u16>loud << 8)
        s.spoke_us = now
        if not s.listed:
            _list(g, s)
    # Where there is a place, any sound takes it: a steady tone is not speech, and somebody may be playing it.
    if g.limit and not s.heard and (steps or (loud >= LOUD_ENOUGH and g.heard_count < g.limit)):
        _apply(g, s, now)


# --- who is heard ---


cdef void _silence(SpeakerGroup* g, Speaker* s) noexcept nogil:
    cdef int i
    for i in range(g.heard_count):
        if g.heard[i] == s:
            g.heard_count -= 1
            g.heard[i] = g.heard[g.heard_count]
            break
    s.heard = 0


cdef void _hear(SpeakerGroup* g, Speaker* s, Speaker* instead) noexcept nogil:
    if instead != NULL:
        _silence(g, instead)
    if g.heard_count < g.limit:
        g.heard[g.heard_count] = s
        g.heard_count += 1
        s.heard = 1


cdef Speaker* _longest_silent(SpeakerGroup* g) noexcept nogil:
    """Of those who are heard, the dominant one left out; NULL: there is no other."""
    cdef Speaker* found = NULL
    cdef int i
    for i in range(g.heard_count):
        if g.heard[i] != g.dominant and (found == NULL or g.heard[i].spoke_us < found.spoke_us):
            found = g.heard[i]
    return found


cdef Speaker* _least_loud(SpeakerGroup* g) noexcept nogil:
    cdef Speaker* found = NULL
    cdef int i
    for i in range(g.heard_count):
        if g.heard[i] != g.dominant and (found == NULL or g.heard[i].loudness < found.loudness):
            found = g.heard[i]
    return found


cdef void _apply(SpeakerGroup* g, Speaker* s, us_t now) noexcept nogil:
    """One that is not heard makes a sound: is there a place for it?"""
    cdef Speaker* other
    if g.heard_count < g.limit:
        _hear(g, s, NULL)
        return
    if not s.frames & 1:
        return
    other = _longest_silent(g)
    if other == NULL:
        return
    if now - other.spoke_us >= SPEAKERS_PAUSE_US or now < other.spoke_us:
        _hear(g, s, other)
        return
    # All of them speak: only one that goes on and is louder takes a place.
    if popcount(s.frames & ((1 << SPEAKERS_MEDIUM) - 1)) < SPEAKERS_MEDIUM - 1:
        return
    other = _least_loud(g)
    if s.loudness >= other.loudness + (SPEAKERS_LOUDER_DB << 8):
        _hear(g, s, other)


cdef void speakers_limit(SpeakerGroup* g, u8 limit) noexcept nogil:
    cdef Speaker* other
    g.limit = min(limit, <u8>SPEAKERS_HEARD)
    while g.heard_count > g.limit:
        other = _longest_silent(g)
        _silence(g, other if other != NULL else g.heard[0])


# --- who is dominant ---


cdef struct Counts:
    int immediate, medium, long


cdef void _count(const Speaker* s, i64 frame, Counts* out) noexcept nogil:
    cdef u64 frames = _frames_at(s, frame)
    cdef int i
    out.immediate = s.immediate if frame - s.frame < SPEAKERS_HELD_FRAMES else 0
    out.medium = popcount(frames & ((1 << SPEAKERS_MEDIUM) - 1))
    out.long = 0
    for i in range(SPEAKERS_LONG):
        out.long += popcount(frames & ((1 << SPEAKERS_MEDIUM) - 1)) >= SPEAKERS_BLOCK_SPEECH
        frames >>= SPEAKERS_MEDIUM


cdef inline bint _beats(const Counts* one, const Counts* dominant) noexcept nogil:
    return (
        one.long >= SPEAKERS_TAKEOVER
        and LONG[one.long] - LONG[dominant.long] > MORE_LONG
        and MEDIUM[one.medium] - MEDIUM[dominant.medium] > MORE_MEDIUM
        and IMMEDIATE[one.immediate] - IMMEDIATE[dominant.immediate] > MORE_IMMEDIATE
    )


cdef bint speakers_tick(SpeakerGroup* g, us_t now) noexcept nogil:
    cdef i64 frame = now // SPEAKERS_FRAME_US
    cdef Speaker* best = NULL
    cdef Speaker* s = g.first
    cdef Speaker* following
    cdef Counts counts, dominant
    cdef int most = -1
    memset(&dominant, 0, sizeof(dominant))
    if g.dominant != NULL:
        _count(g.dominant, frame, &dominant)
    while s != NULL:
        following = s.next
        _count(s, frame, &counts)
        if s != g.dominant and _beats(&counts, &dominant) and counts.long * 8 + counts.medium > most:
            most = counts.long * 8 + counts.medium
            best = s
        if _frames_at(s, frame) == 0:
            _unlist(g, s)
        s = following
    if best == NULL:
        return False
    g.dominant = best
    if g.limit and not best.heard:
        _hear(g, best, _least_loud(g) if g.heard_count >= g.limit else NULL)
    return True


# --- members ---


cdef void speaker_join(SpeakerGroup* g, Speaker* s, u32 id, us_t now) noexcept nogil:
    memset(s, 0, sizeof(Speaker))
    s.group = g
    s.id = id
    s.frame = s.floor_frame = now // SPEAKERS_FRAME_US
    # Until it was quiet once, nothing is known of its noise.
    s.least = s.older = SILENCE
    g.members += 1


cdef void speaker_leave(Speaker* s) noexcept nogil:
    cdef SpeakerGroup* g = s.group
    if g == NULL:
        return
    if s.listed:
        _unlist(g, s)
    if s.heard:
        _silence(g, s)
    if g.dominant == s:
        g.dominant = NULL
    g.members -= 1
    s.group = NULL
