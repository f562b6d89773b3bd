"""Fuzz targets of the codecs' descriptors: VP8, VP9, AV1 and its dependency descriptor, H264, Opus, RED, and picture numbers.

Invariants: no byte outside the input or output is touched, every value is in its range, every offset inside its payload; what is
written anew reads as before but for what was to change; a descriptor that is refused changes nothing that is kept.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset
from simplestchat._native.core.types cimport E_NOMEM, E_SPACE, E_STATE, OK, u8, u16, u32, u64
from simplestchat._native.stream.pidmap cimport PidMap, pidmap_drop, pidmap_forward, pidmap_init, pidmap_switch
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_random, fuzz_run
from simplestchat._native.wire.av1 cimport Av1View, av1_facts, av1_keyframe, av1_parse
from simplestchat._native.wire.av1dd cimport (
    DD_ACTIVE_GROWTH, DD_MAX_CHAINS, DD_MAX_FDIFFS, DD_MAX_SIZE, DD_MAX_SPATIAL, DD_MAX_TEMPLATES, DD_MAX_TEMPORAL, DdStructure,
    DdView, dd_facts, dd_init, dd_parse, dd_put_frame_number, dd_write_active,
)
from simplestchat._native.wire.facts cimport FrameFacts, PictureIds
from simplestchat._native.wire.h264 cimport h264_facts, h264_keyframe
from simplestchat._native.wire.opus cimport OPUS_MAX_FRAMES, OpusView, opus_parse
from simplestchat._native.wire.red cimport RED_MAX_BLOCKS, RedView, red_parse
from simplestchat._native.wire.vp8 cimport Vp8View, vp8_facts, vp8_ids, vp8_parse, vp8_rewrite
from simplestchat._native.wire.vp9 cimport (
    Vp9Structure, Vp9View, vp9_facts, vp9_ids, vp9_keyframe, vp9_parse, vp9_read_structure, vp9_rewrite,
)

FUZZ_TARGETS = ("vp8", "vp9", "h264", "av1", "av1dd", "opus", "red", "pidmap")


cdef PictureIds _any_ids(u64* random) noexcept nogil:
    cdef PictureIds ids
    cdef u64 bits = fuzz_random(random)
    ids.picture_bits = 7 if bits & 1 else 15
    ids.has_tl0picidx = bits >> 1 & 1
    ids.has_keyidx = bits >> 2 & 1
    ids.picture_id = <u16> (bits >> 16)
    ids.tl0picidx = <u8> (bits >> 32)
    ids.keyidx = <u8> (bits >> 40)
    return ids


cdef bint _are(const PictureIds* found, const PictureIds* wanted) noexcept nogil:
    """Is what was found what was wanted, in the width and number of what is there?"""
    if found.picture_bits and found.picture_id != wanted.picture_id & ((1 << found.picture_bits) - 1):
        return False
    if found.has_tl0picidx and found.tl0picidx != wanted.tl0picidx:
        return False
    return not found.has_keyidx or found.keyidx == wanted.keyidx & 31


cdef bint _sane(const FrameFacts* facts) noexcept nogil:
    if facts.spatial_id > 7 or facts.temporal_id > 7 or facts.keyframe > 1 or facts.discardable > 1 or facts.switch_in > 1:
        return False
    if facts.keyframe and (not facts.begins_frame or facts.predicted):
        return False
    return facts.switches & ~facts.present == 0


cdef int _vp8(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Vp8View view, again
    cdef PictureIds wanted = _any_ids(&random), before, after
    cdef FrameFacts facts
    cdef int status = vp8_parse(data, size, &view)
    if status < 0:
        return status
    if view.descriptor_size >= size or view.picture_id > 0x7FFF or view.width > 0x3FFF or view.tid > 3 or view.keyidx > 31:
        return FUZZ_BROKEN
    vp8_facts(&view, random & 1, &facts)
    if (view.keyframe and not view.start) or not _sane(&facts):
        return FUZZ_BROKEN
    vp8_ids(&view, &before)
    if vp8_rewrite(data, view.descriptor_size, &view, &wanted) != OK or vp8_parse(data, size, &again) != OK:
        return FUZZ_BROKEN
    vp8_ids(&again, &after)
    if not _are(&after, &wanted) or vp8_rewrite(data, size, &again, &before) != OK or vp8_parse(data, size, &again) != OK:
        return FUZZ_BROKEN
    return OK if memcmp(&view, &again, sizeof(Vp8View)) == 0 else FUZZ_BROKEN


cdef int _vp9(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Vp9View view, again
    cdef Vp9Structure structure
    cdef PictureIds wanted = _any_ids(&random), before, after
    cdef FrameFacts facts
    cdef int status = vp9_parse(data, size, &view)
    if vp9_keyframe(data, size) != (view.keyframe if status == OK else status):
        return FUZZ_BROKEN
    if status < 0:
        return status
    if view.descriptor_size >= size or view.structure_off >= size or view.reference_count > 3 or (view.keyframe and data[0] & 0x48 != 8):
        return FUZZ_BROKEN
    vp9_facts(&view, random & 1, &facts)
    status = vp9_read_structure(data, view.descriptor_size, &view, &structure)
    if not _sane(&facts) or status != (OK if view.structure_off else E_STATE) or structure.layer_count > 8:
        return FUZZ_BROKEN
    vp9_ids(&view, &before)
    if vp9_rewrite(data, view.descriptor_size, &view, &wanted) != OK or vp9_parse(data, size, &again) != OK:
        return FUZZ_BROKEN
    vp9_ids(&again, &after)
    if not _are(&after, &wanted) or vp9_rewrite(data, size, &again, &before) != OK or vp9_parse(data, size, &again) != OK:
        return FUZZ_BROKEN
    return OK if memcmp(&view, &again, sizeof(Vp9View)) == 0 else FUZZ_BROKEN


cdef int _h264(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef FrameFacts facts
    cdef int status = h264_keyframe(data, size)
    if h264_facts(data, size, random & 1, &facts) != (OK if status >= 0 else status):
        return FUZZ_BROKEN
    return FUZZ_BROKEN if status > 1 or not _sane(&facts) else status


cdef int _av1(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Av1View view
    cdef FrameFacts facts
    cdef int status = av1_keyframe(data, size)
    if status > 1 or (status == 1 and data[0] & 0x88 != 0x08):
        return FUZZ_BROKEN
    if av1_parse(data, size, &view) < 0:
        return -1
    av1_facts(&view, random & 1, &facts)
    return OK if status == view.starts_sequence and _sane(&facts) else FUZZ_BROKEN


cdef bint _fits(const DdStructure* s) noexcept nogil:
    """Is every number of the structure one that its arrays have a place for?"""
    cdef u32 i, j
    if s.template_count > DD_MAX_TEMPLATES or s.target_count > 32 or s.chain_count > s.target_count or s.layer_count > DD_MAX_SPATIAL:
        return False
    for i in range(s.target_count):
        if s.protected_by[i] > s.chain_count:
            return False
    for i in range(s.template_count):
        if s.templates[i].spatial_id >= s.layer_count or s.templates[i].temporal_id >= DD_MAX_TEMPORAL:
            return False
        if s.templates[i].fdiff_count > DD_MAX_FDIFFS:
            return False
        for j in range(s.chain_count, <u32> DD_MAX_CHAINS):
            if s.templates[i].chain_fdiffs[j]:
                return False
    return True


cdef int _dd_rewritten(const u8* data, size_t size, const DdView* view, const DdStructure* before, u64* random) noexcept nogil:
    cdef DdStructure structure = before[0]
    cdef DdView again
    cdef u32 active = <u32> fuzz_random(random), mask = 0xFFFFFFFFU >> (32 - view.target_count)
    cdef size_t cap = size + fuzz_below(random, DD_ACTIVE_GROWTH + 1)
    cdef u8* out = <u8*> malloc(cap)
    cdef int wrote, status = OK
    if out is NULL:
        return E_NOMEM
    wrote = dd_write_active(data, size, view, active, out, cap)
    if wrote == E_SPACE:
        status = FUZZ_BROKEN if cap == size + DD_ACTIVE_GROWTH else OK
    elif wrote < 0 or <size_t> wrote > cap or dd_put_frame_number(out, wrote, view.frame_number) != OK:
        status = FUZZ_BROKEN
    elif wrote <= DD_MAX_SIZE:
        if dd_parse(out, wrote, &structure, &again) != OK or again.active != active & mask:
            status = FUZZ_BROKEN
        elif again.frame_number != view.frame_number or memcmp(&again.targets, &view.targets, sizeof(view.targets)) != 0:
            status = FUZZ_BROKEN
        elif memcmp(again.fdiffs, view.fdiffs, sizeof(view.fdiffs)) or memcmp(again.chain_fdiffs, view.chain_fdiffs, DD_MAX_CHAINS):
            status = FUZZ_BROKEN
        elif again.has_structure != view.has_structure or again.width != view.width or again.height != view.height:
            status = FUZZ_BROKEN
    free(out)
    return status


cdef int _av1dd(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    # What is kept lives on from input to input, as it does in a stream; now and then another stream begins.
    cdef DdStructure* kept = <DdStructure*> state
    cdef DdStructure before
    cdef DdView view
    cdef FrameFacts facts
    cdef int status
    if fuzz_below(&random, 64) == 0:
        dd_init(kept)
    before = kept[0]
    status = dd_parse(data, size, kept, &view)
    if status < 0:
        return status if memcmp(&before, kept, sizeof(before)) == 0 else FUZZ_BROKEN
    if not _fits(kept) or view.fdiff_count > DD_MAX_FDIFFS or view.bits > 8 * size or view.spatial_id >= DD_MAX_SPATIAL:
        return FUZZ_BROKEN
    dd_facts(&view, random & 1, &facts)
    if not _sane(&facts):
        return FUZZ_BROKEN
    if not view.known:
        return -1
    return _dd_rewritten(data, size, &view, &before, &random)


cdef int _opus(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef OpusView view
    cdef int status = opus_parse(data, size, &view)
    if status < 0:
        return status
    if not 1 <= view.frame_count <= OPUS_MAX_FRAMES or not 120 <= view.duration <= 5760 or view.has_fec > 1:
        return FUZZ_BROKEN
    return FUZZ_BROKEN if view.has_fec and (view.dtx or view.config >= 16) else OK


cdef int _red(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef RedView view
    cdef u32 i, at
    cdef int status = red_parse(data, size, &view)
    if status < 0:
        return status
    if not 1 <= view.count <= RED_MAX_BLOCKS:
        return FUZZ_BROKEN
    at = 4 * view.count - 3
    for i in range(view.count):
        if view.blocks[i].off != at or view.blocks[i].payload_type > 127 or view.blocks[i].timestamp_offset > 0x3FFF:
            return FUZZ_BROKEN
        at += view.blocks[i].size
    return OK if at == size else FUZZ_BROKEN


cdef int _pidmap(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    # Four bytes a step: what to do, and the numbers of a packet. The same question twice has the same answer.
    cdef PidMap m
    cdef PictureIds ids, image, again
    cdef size_t at = 0
    cdef int status, forwarded = -1
    pidmap_init(&m)
    while size - at >= 4:
        memset(&ids, 0, sizeof(ids))
        ids.picture_bits = 7 if data[at] & 8 else 15
        ids.picture_id = <u16> ((data[at + 1] << 8 | data[at + 2]) & ((1 << ids.picture_bits) - 1))
        ids.has_tl0picidx = data[at] >> 4 & 1
        ids.tl0picidx = data[at + 3]
        ids.has_keyidx = data[at] >> 5 & 1
        ids.keyidx = data[at + 3] & 31
        if data[at] & 7 == 0:
            pidmap_switch(&m)
        elif data[at] & 7 == 1:
            pidmap_drop(&m, &ids)
        else:
            status = pidmap_forward(&m, &ids, &image)
            if pidmap_forward(&m, &ids, &again) != status:
                return FUZZ_BROKEN
            if status == OK:
                forwarded = OK
                if memcmp(&image, &again, sizeof(image)) != 0 or image.picture_id >> image.picture_bits or image.keyidx > 31:
                    return FUZZ_BROKEN
        at += 4
    return forwarded


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    cdef DdStructure structure
    dd_init(&structure)
    if target == "vp8":
        function = _vp8
    elif target == "vp9":
        function = _vp9
    elif target == "h264":
        function = _h264
    elif target == "av1":
        function = _av1
    elif target == "av1dd":
        function = _av1dd
    elif target == "opus":
        function = _opus
    elif target == "red":
        function = _red
    elif target == "pidmap":
        function = _pidmap
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    return fuzz_run(function, &structure, target, seed, rounds, corpus)
