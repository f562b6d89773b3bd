"""Fuzz targets of the choice of layers and of the rates of layers: facts, targets and times of any kind.

Invariants: nothing outside the state is touched; a packet that is repeated at once has the same verdict; nothing is forwarded when nothing
is aimed at; what is told as forwarded is a layer that there can be; a rate grows with the layers.
"""

from libc.string cimport memcpy, memset
from simplestchat._native.core.types cimport OK, i8, u8, u16, u32, u64, us_t
from simplestchat._native.select.selector cimport (
    SELECT_AV1, SELECT_DROP, SELECT_FORWARD, selector_aim, selector_begin, selector_init, selector_packet, selector_wants_keyframe,
)
from simplestchat._native.select.state cimport SELECT_LAYERS, Selector
from simplestchat._native.stream.rates cimport RATES_LAYERS, LayerRates, rates_init, rates_packet, rates_read
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_random, fuzz_run
from simplestchat._native.wire.av1dd cimport DD_MAX_SPATIAL, DD_MAX_TEMPLATES, DD_MAX_TEMPORAL, DdStructure
from simplestchat._native.wire.facts cimport FrameFacts

FUZZ_TARGETS = ("select", "rates")

cdef enum:
    _STEP = 24                   # bytes that make a packet's facts


cdef void _any_structure(DdStructure* dd, u64* random) noexcept nogil:
    cdef u32 i
    memset(dd, 0, sizeof(DdStructure))
    dd.template_count = <u8> fuzz_below(random, DD_MAX_TEMPLATES + 1)
    dd.target_count = <u8> (1 + fuzz_below(random, 32))
    dd.generation = <u32> fuzz_below(random, 2)
    for i in range(dd.target_count):
        dd.target_spatial_id[i] = <u8> fuzz_below(random, DD_MAX_SPATIAL)
        dd.target_temporal_id[i] = <u8> fuzz_below(random, DD_MAX_TEMPORAL)
    for i in range(dd.template_count):
        dd.templates[i].targets.present = <u32> fuzz_random(random)


cdef void _any_facts(const u8* data, FrameFacts* f) noexcept nogil:
    cdef u32 bits = data[0] | data[1] << 8
    memset(f, 0, sizeof(FrameFacts))
    f.keyframe = bits & 1
    f.begins_frame = bits >> 1 & 1
    f.ends_frame = bits >> 2 & 1
    f.ends_picture = bits >> 3 & 1
    f.switch_in = bits >> 4 & 1
    f.switch_up = bits >> 5 & 1
    f.predicted = bits >> 6 & 1
    f.inter_layer = bits >> 7 & 1
    f.unused_above = bits >> 8 & 1
    f.refers_told = bits >> 9 & 1
    f.structure = bits >> 10 & 1
    f.known = bits >> 13 & 1
    f.picture_bits = <u8> (0x100F0700 >> (8 * (bits >> 11 & 3)))      # 0, 7, 15 or 16
    f.spatial_id = data[2] & 7
    f.temporal_id = data[2] >> 3 & 7
    f.picture_id = <u16> (data[3] | data[4] << 8)
    # Mostly near the one before, as in a stream.
    if not data[2] & 0x80:
        f.picture_id &= 0x3F
    memcpy(&f.present, data + 5, 4)
    memcpy(&f.switches, data + 9, 4)
    f.switches &= f.present
    memcpy(&f.active, data + 13, 3)
    memcpy(&f.refers, data + 16, 8)
    if f.inter_layer and f.spatial_id == 0:
        f.inter_layer = 0


cdef int _select(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Selector s
    cdef DdStructure dd
    cdef FrameFacts f
    cdef size_t at = 0
    cdef int verdict, again
    cdef bint kept
    selector_init(&s, <u8> fuzz_below(&random, SELECT_AV1 + 1))
    _any_structure(&dd, &random)
    while size - at >= _STEP:
        _any_facts(data + at, &f)
        if data[at + 1] >> 5 == 0:
            selector_aim(&s, <i8> (data[at + 2] & 15) - 4, <i8> (data[at + 3] & 15) - 4)
        elif data[at + 1] >> 5 == 1:
            selector_begin(&s, &f)
        kept = fuzz_below(&random, 4) != 0
        verdict = selector_packet(&s, &f, at, &dd if kept else NULL)
        # Without a number a second packet that begins a frame begins another, unless its index says that it is the same.
        again = selector_packet(&s, &f, at, &dd if kept else NULL)
        if (verdict ^ again) & SELECT_FORWARD or verdict >> 3 or (verdict and not verdict & SELECT_FORWARD):
            return FUZZ_BROKEN
        if s.spatial < -1 or s.spatial >= SELECT_LAYERS or s.temporal > 7 or (s.spatial < 0) != (s.temporal < 0):
            return FUZZ_BROKEN
        selector_wants_keyframe(&s)
        at += _STEP
    return OK if size >= _STEP else -1


cdef int _rates(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef LayerRates r
    cdef u32[RATES_LAYERS][RATES_LAYERS] out
    cdef us_t now = 0
    cdef size_t at = 0
    cdef int i, j
    rates_init(&r)
    while size - at >= 4:
        now += <us_t> data[at] << (data[at + 1] & 15)
        rates_packet(&r, data[at + 2] & 7, data[at + 2] >> 3 & 7, data[at + 2] >> 6 & 1, data[at + 3] * 8, now)
        rates_read(&r, now, out)
        for i in range(RATES_LAYERS):
            for j in range(1, RATES_LAYERS):
                if out[i][j] < out[i][j - 1]:
                    return FUZZ_BROKEN
        at += 4
    rates_read(&r, now + 2000000, out)
    for i in range(RATES_LAYERS):
        if out[i][RATES_LAYERS - 1]:
            return FUZZ_BROKEN
    return OK if at else -1


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    if target == "select":
        function = _select
    elif target == "rates":
        function = _rates
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    return fuzz_run(function, NULL, target, seed, rounds, corpus)
