"""The estimate of a transport, divided among its videos; see allocation.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memset

from simplestchat._native.cc.allocator cimport ALLOC_LAYERS, ALLOC_SOURCE, ALLOC_WANTED, Want, allocate
from simplestchat._native.cc.bwe cimport bwe_want
from simplestchat._native.core.types cimport i8, i32, u8, u32, u64, us_t
from simplestchat._native.engine.consumer cimport consumer_restart
from simplestchat._native.engine.entities cimport (
    EVENT_CONSUMER_LAYERS, EVENT_PRODUCER_LAYERS, MAX_SPATIAL, MAX_TEMPORAL, NEVER_US, TOLD_NOTHING, TRANSPORT_CONNECTED, Consumer, Producer,
    ShardState, Stream, Transport,
)
from simplestchat._native.engine.events cimport event_layers, event_mask
from simplestchat._native.engine.liveness cimport liveness_mask, liveness_of
from simplestchat._native.engine.pacing cimport pacing_adjust
from simplestchat._native.engine.producer cimport producer_want_keyframe
from simplestchat._native.engine.timers cimport timers_hasten
from simplestchat._native.select.selector cimport selector_aim, selector_wants_keyframe
from simplestchat._native.stream.rates cimport rates_read

cdef enum:
    UNLIMITED_BPS = 1000000000000
    SETTLED_US = 2000000           # before, an encoding is taken to send what it sent last, or what it may
    GUESSED_US = 500000            # so long, at most, the rate of an encoding that nothing is known of is guessed
    SILENT_US = 150000
    VIEW_SHARE = 70                # of a view's side, in percent: a layer that is so large may be stretched
    DEFAULT_PRIORITY = 1
    RANK_DEFAULT = 128             # of consumers without a priority; larger views come first
    OTHER_SHARE = 4                # what is sent beside videos is smoothed: a quarter of each new value
    REPAIR_SHARE = 4               # a fourth of the estimate is what a fifth of random loss takes; what is more repairs what was too much

# What an encoding takes of which nothing is known yet.
cdef u32[MAX_SPATIAL] _USUAL_BPS = [150000, 500000, 1500000, 3000000]


cdef void allocation_want(ShardState* s, Transport* t, us_t now) noexcept nogil:
    t.allocate_us = now
    timers_hasten(&s.timers, t, now)


cdef inline u8 _spatial_count(const Producer* p) noexcept nogil:
    return p.spatial_count if p.spatial_count else 1


cdef inline u8 _class_of_view(i32 height) noexcept nogil:
    return 0 if height >= 720 else 1 if height >= 360 or height < 0 else 2 if height >= 180 else 3


cdef i8 _enough_for_view(const Producer* p, i32 width, i32 height) noexcept nogil:
    """The lowest spatial layer that a picture of this size on the screen can be made of."""
    cdef u8 count = _spatial_count(p)
    cdef u32 high
    cdef u32 wide
    cdef i8 i
    if width < 0 or height < 0:
        return <i8>(count - 1)
    for i in range(count):
        wide, high = p.widths[i], p.heights[i]
        if high == 0:                      # not said: the highest has 720 lines, each below it half of them
            high = 720 >> (count - 1 - i)
            wide = 1280 >> (count - 1 - i)
        # A view that is narrower than the picture shows all of its height: the larger need counts.
        if max(wide, high) * 100 >= <u32>max(width, height) * VIEW_SHARE and min(wide, high) * 100 >= <u32>min(width, height) * VIEW_SHARE:
            return i
    return <i8>(count - 1)


cdef void _rates_of_layers(const Producer* p, Want* w, us_t now) noexcept nogil:
    """SVC: layers inside the one encoding."""
    cdef Stream* st = &p.streams[0]
    cdef u32 most = st.nominal_bps if st.nominal_bps else <u32>_USUAL_BPS[p.spatial_count - 1]
    cdef int i
    if liveness_of(p, st, now):
        rates_read(&st.rates, now, w.rates)
    for i in range(p.spatial_count):
        w.nominal[i][p.temporal_count - 1] = most >> 2 * (p.spatial_count - 1 - i)


cdef inline bint _is_known(const Stream* st, us_t now) noexcept nogil:
    return st.last_bps > 0 or st.nominal_bps > 0 or now - st.rates.since[0] < GUESSED_US


cdef u32 _all_spatial(u32[ALLOC_LAYERS][ALLOC_LAYERS] inside, int temporal) noexcept nogil:
    """What an encoding takes whose spatial layers, should there be any, all leave together."""
    cdef u32 most = 0
    cdef int i
    for i in range(ALLOC_LAYERS):
        most = max(most, inside[i][temporal])
    return most


cdef void _rates_of_encodings(const Producer* p, Want* w, us_t now) noexcept nogil:
    """Simulcast: each spatial layer is an encoding."""
    cdef u32 inside[ALLOC_LAYERS][ALLOC_LAYERS]
    cdef Stream* st
    cdef int i
    cdef int k
    cdef int top = p.temporal_count - 1
    for i in range(p.stream_count):
        st = &p.streams[i]
        w.nominal[i][top] = st.last_bps if st.last_bps else st.nominal_bps if st.nominal_bps else <u32>_USUAL_BPS[i]
        if not liveness_of(p, st, now):
            continue
        rates_read(&st.rates, now, inside)
        for k in range(p.temporal_count):
            w.rates[i][k] = _all_spatial(inside, k)
        if now - st.rates.since[0] >= SETTLED_US and now - st.arrived_us < SILENT_US and w.rates[i][top]:
            st.last_bps = w.rates[i][top]
        else:                              # it begins with a keyframe, or falls silent: what it takes is not what is measured
            w.rates[i][top] = w.nominal[i][top] if _is_known(st, now) else max(w.nominal[i][top], w.rates[i][top])


cdef void _fill(Consumer* c, us_t now) noexcept nogil:
    cdef const Producer* p = c.producer
    cdef Want* w = &c.want
    cdef i8 seen = _enough_for_view(p, c.view_width, c.view_height)
    w.rank = <u8>((255 - c.priority) // 2) if c.priority > DEFAULT_PRIORITY else <u8>(RANK_DEFAULT + _class_of_view(c.view_height))
    w.spatial_count = _spatial_count(p)
    w.temporal_count = p.temporal_count
    w.max_spatial = min(min(seen, <i8>c.preferred), <i8>(w.spatial_count - 1))
    w.max_temporal = min(<i8>c.preferred_temporal, <i8>(w.temporal_count - 1))
    if c.paused or c.hidden or p.paused:
        w.max_spatial = -1
    memset(w.rates, 0, sizeof(w.rates))
    memset(w.nominal, 0, sizeof(w.nominal))
    if p.layered:
        _rates_of_layers(p, w, now)
    else:
        _rates_of_encodings(p, w, now)


cdef u32 _gather(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """The transport's videos, in s.wants. How many."""
    cdef Want** grown
    cdef Consumer* c
    cdef u32 count = 0
    cdef u32 i
    if s.wants_capacity < t.consumer_count:
        grown = <Want**>malloc(2 * t.consumer_count * sizeof(Want*))
        if grown == NULL:
            return 0
        free(s.wants)
        s.wants = grown
        s.wants_capacity = 2 * t.consumer_count
    for i in range(t.consumer_count):
        c = t.consumers[i]
        if c.video and not c.pipe:
            _fill(c, now)
            s.wants[count] = &c.want
            count += 1
    return count


cdef void allocation_aim(Consumer* c) noexcept nogil:
    cdef const Producer* p = c.producer
    if not c.selects:
        return
    if p.layered:
        selector_aim(&c.selector, c.target_spatial, c.target_temporal)
    elif c.stream > c.target_spatial:      # until the lower one has a keyframe: as little as there is of the higher
        selector_aim(&c.selector, MAX_SPATIAL, 0)
    else:
        selector_aim(&c.selector, MAX_SPATIAL, c.target_temporal)


cdef void _wish(ShardState* s, Consumer* c, int wished, us_t now) noexcept nogil:
    """Counts the consumer among those that would take the spatial layer of this number, -1 for none."""
    cdef Producer* p = c.producer
    if c.wished == wished + 1:
        return
    if c.wished:
        p.wishes[c.wished - 1] -= 1
    if wished >= 0:
        p.wishes[wished] += 1
    c.wished = <u8>(wished + 1)
    p.mask_us = now
    timers_hasten(&s.timers, p.transport, now)


cdef void _apply(ShardState* s, Consumer* c, us_t now) noexcept nogil:
    cdef const Want* w = &c.want
    cdef bint was_held = c.held
    c.held = w.max_spatial >= 0 and w.spatial < 0 and not c.producer.paused and liveness_mask(c.producer, now) != 0
    _wish(s, c, w.wished_spatial if w.max_spatial >= 0 else -1, now)
    c.reason = w.reason
    c.target_spatial = w.spatial if w.spatial >= 0 else max(w.wished_spatial, <i8>0)
    c.target_temporal = w.temporal if w.spatial >= 0 else max(w.wished_temporal, <i8>0)
    # All that is known of is all that there is: what the publisher adds is not left out until it is known, too.
    if c.transport.bwe == NULL or w.reason == ALLOC_WANTED or w.reason == ALLOC_SOURCE:
        c.target_temporal = <i8>c.preferred_temporal
        if c.producer.layered and c.target_spatial == w.spatial_count - 1:
            c.target_spatial = <i8>c.preferred
    allocation_aim(c)
    if was_held and not c.held:
        consumer_restart(c)
    if w.max_spatial < 0 or c.held:
        pass                               # nobody waits for one
    elif was_held:
        producer_want_keyframe(s, c.producer, 0 if c.producer.layered else <u8>c.target_spatial, now)
    elif c.producer.layered and c.selects and selector_wants_keyframe(&c.selector):
        producer_want_keyframe(s, c.producer, 0, now)
    allocation_tell(s, c)


cdef void allocation_tell(ShardState* s, Consumer* c) noexcept nogil:
    cdef i8 spatial = -1
    cdef i8 temporal = -1
    if not (c.video and not c.pipe):
        return
    if not (c.paused or c.hidden or c.held or c.fresh or c.producer.paused):
        spatial = c.selector.spatial if c.producer.layered else <i8>c.stream
        temporal = c.selector.temporal if c.selects else <i8>0
    if c.told_spatial == TOLD_NOTHING and spatial < 0 and not c.held:
        return                             # it will begin with its keyframe
    if spatial == c.told_spatial and temporal == c.told_temporal:
        return
    s.counters.layer_switches += c.told_spatial >= 0 and spatial >= 0
    c.told_spatial = spatial
    c.told_temporal = temporal
    event_layers(s, c)


cdef inline void _smooth(u64* bps, u64* bytes, us_t since) noexcept nogil:
    bps[0] += bytes[0] * 8000000 // <u64>since // OTHER_SHARE
    bps[0] -= min(bps[0], bps[0] // OTHER_SHARE)
    bytes[0] = 0


cdef void _note_others(Transport* t, us_t since) noexcept nogil:
    """What was sent beside the videos since the last time."""
    _smooth(&t.audio_bps, &t.audio_bytes, since)
    _smooth(&t.repair_bps, &t.repair_bytes, since)
    t.other_bps = t.audio_bps + min(t.repair_bps, t.bwe.estimate_bps // REPAIR_SHARE)


cdef void _divide(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef u32 count = _gather(s, t, now)
    cdef u64 budget = UNLIMITED_BPS
    cdef u32 i
    if count == 0:
        return
    if t.bwe != NULL:
        if now - t.divided_us >= ALLOCATE_US:
            _note_others(t, now - t.divided_us)
            t.divided_us = now
        budget = t.bwe.estimate_bps - min(t.bwe.estimate_bps, t.other_bps)
        t.allocator.estimate_bps = t.bwe.estimate_bps
        t.allocated_bps = t.bwe.estimate_bps
    allocate(&t.allocator, s.wants, count, budget, now)
    if t.bwe != NULL:
        bwe_want(t.bwe, t.allocator.next_bps + t.other_bps if t.allocator.next_bps else 0, t.allocator.all_bps + t.other_bps, now)
        pacing_adjust(t, now)
    for i in range(t.consumer_count):
        if t.consumers[i].video and not t.consumers[i].pipe:
            _apply(s, t.consumers[i], now)


cdef us_t allocation_tick(ShardState* s, Transport* t, us_t now) noexcept nogil:
    if t.consumer_count == 0 or t.pipe or t.state != TRANSPORT_CONNECTED:
        return NEVER_US
    if now >= t.allocate_us:
        _divide(s, t, now)
        t.allocate_us = now + ALLOCATE_US
    return t.allocate_us


cdef void allocation_forget(ShardState* s, Consumer* c) noexcept nogil:
    _wish(s, c, -1, c.transport.divided_us)


cdef u8 allocation_mask(const Producer* p) noexcept nogil:
    cdef int i = MAX_SPATIAL - 1
    while i >= 0 and p.wishes[i] == 0:
        i -= 1
    return <u8>((1 << (i + 1)) - 1) | p.remote_mask


cdef us_t allocation_tell_mask(ShardState* s, Producer* p, us_t now) noexcept nogil:
    cdef u8 mask = allocation_mask(p)
    if not p.video or now < p.mask_us:
        return p.mask_us if p.video else NEVER_US
    if mask == p.told_mask:
        p.unwanted_us = 0
    elif mask & ~p.told_mask:              # some layer is wanted anew: with it goes what is wanted no more, so that one message says all
        p.told_mask |= mask
        p.unwanted_us = now if p.told_mask != mask else 0
        event_mask(s, p)
    elif p.unwanted_us == 0:
        p.unwanted_us = now
    elif now - p.unwanted_us >= UNWANTED_US:
        p.told_mask = mask
        p.unwanted_us = 0
        event_mask(s, p)
    p.mask_us = p.unwanted_us + UNWANTED_US if p.unwanted_us else NEVER_US
    return p.mask_us
