"""Dependency descriptors; the contract is in ``av1dd.pxd``."""

from libc.string cimport memcmp, memcpy, memset
from simplestchat._native.core.bits cimport BitReader, BitWriter, add_bits, bit_reader, bit_writer, take_below, take_bits
from simplestchat._native.core.bytes cimport put16
from simplestchat._native.core.seq cimport seq_diff
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, E_SPACE, E_STATE, E_UNSUPPORTED, OK, u8, u16, u32, u64
from simplestchat._native.wire.facts cimport FrameFacts

cdef enum:
    _MANDATORY_SIZE = 3
    _FLAGS = 5                   # bits that begin the extended fields
    _ACTIVE_FLAG = 0x08          # of these five
    # What next_layer_idc says of the template behind.
    _SAME_LAYER = 0
    _NEXT_TEMPORAL = 1
    _NEXT_SPATIAL = 2
    # Decode target indications.
    _DISCARDABLE = 1
    _SWITCH = 2
    # A frame so far behind is late; one further behind comes from a sender that began anew.
    _LATE_FRAMES = 256


cdef inline bint _late(u16 frame, u16 newest) noexcept nogil:
    return -_LATE_FRAMES <= seq_diff(frame, newest) < 0


cdef inline u32 _all(u8 targets) noexcept nogil:
    return 0xFFFFFFFFU >> (32 - targets)


cdef void _take_targets(BitReader* r, u8 count, DdTargets* out) noexcept nogil:
    cdef u32 i, indication
    memset(out, 0, sizeof(DdTargets))
    for i in range(count):
        indication = take_bits(r, 2)
        out.present |= <u32> (indication != 0) << i
        out.discardable |= <u32> (indication == _DISCARDABLE) << i
        out.switches |= <u32> (indication == _SWITCH) << i


cdef int _take_layers(BitReader* r, DdStructure* s) noexcept nogil:
    cdef u8 spatial = 0, temporal = 0
    cdef u32 step
    while True:
        if s.template_count == DD_MAX_TEMPLATES or spatial == DD_MAX_SPATIAL or temporal == DD_MAX_TEMPORAL:
            return E_MALFORMED
        s.templates[s.template_count].spatial_id = spatial
        s.templates[s.template_count].temporal_id = temporal
        s.template_count += 1
        step = take_bits(r, 2)
        if r.failed:
            return E_SHORT
        if step == _NEXT_TEMPORAL:
            temporal += 1
        elif step == _NEXT_SPATIAL:
            temporal = 0
            spatial += 1
        elif step != _SAME_LAYER:
            s.layer_count = spatial + 1
            return OK


cdef int _take_template_fdiffs(BitReader* r, DdTemplate* template) noexcept nogil:
    template.fdiff_count = 0
    while take_bits(r, 1):
        if template.fdiff_count == DD_MAX_FDIFFS:
            return E_UNSUPPORTED
        template.fdiffs[template.fdiff_count] = <u8> (take_bits(r, 4) + 1)
        template.fdiff_count += 1
    return OK


cdef void _take_chains(BitReader* r, DdStructure* s) noexcept nogil:
    cdef u32 i, j
    s.chain_count = <u8> take_below(r, s.target_count + 1)
    if s.chain_count == 0:
        return
    for i in range(s.target_count):
        s.protected_by[i] = <u8> take_below(r, s.chain_count)
    for i in range(s.template_count):
        for j in range(s.chain_count):
            s.templates[i].chain_fdiffs[j] = <u8> take_bits(r, 4)


cdef void _take_sizes(BitReader* r, DdStructure* s) noexcept nogil:
    cdef u32 i, width, height
    s.has_sizes = take_bits(r, 1)
    if not s.has_sizes:
        return
    for i in range(s.layer_count):
        width = take_bits(r, 16) + 1
        height = take_bits(r, 16) + 1
        # 65536 is no size that AV1 has; as 65535 it still is the largest.
        s.width[i] = <u16> (width if width < 0xFFFF else 0xFFFF)
        s.height[i] = <u16> (height if height < 0xFFFF else 0xFFFF)


cdef void _find_target_layers(DdStructure* s) noexcept nogil:
    cdef DdTemplate* template
    cdef u32 i, target
    for i in range(s.template_count):
        template = &s.templates[i]
        for target in range(s.target_count):
            if template.targets.present >> target & 1:
                if template.spatial_id > s.target_spatial_id[target]:
                    s.target_spatial_id[target] = template.spatial_id
                if template.temporal_id > s.target_temporal_id[target]:
                    s.target_temporal_id[target] = template.temporal_id


cdef int _take_structure(BitReader* r, DdStructure* s) noexcept nogil:
    cdef u32 i
    cdef int status
    memset(s, 0, sizeof(DdStructure))
    s.template_offset = <u8> take_bits(r, 6)
    s.target_count = <u8> (take_bits(r, 5) + 1)
    status = _take_layers(r, s)
    if status < 0:
        return status
    for i in range(s.template_count):
        _take_targets(r, s.target_count, &s.templates[i].targets)
    for i in range(s.template_count):
        status = _take_template_fdiffs(r, &s.templates[i])
        if status < 0:
            return status
    _take_chains(r, s)
    _take_sizes(r, s)
    if r.failed:
        return E_SHORT
    s.active = _all(s.target_count)
    _find_target_layers(s)
    return OK


cdef int _take_frame_fdiffs(BitReader* r, DdView* out) noexcept nogil:
    cdef u32 size = take_bits(r, 2)
    cdef u32 fdiff
    out.fdiff_count = 0
    while size:
        if out.fdiff_count == DD_MAX_FDIFFS:
            return E_UNSUPPORTED
        fdiff = take_bits(r, 4 * size) + 1
        out.fdiffs[out.fdiff_count] = <u16> fdiff        # 12 bits and one
        out.fdiff_count += 1
        size = take_bits(r, 2)
    return OK


cdef int _take_definition(BitReader* r, u32 flags, const DdStructure* s, const DdTemplate* template, DdView* out) noexcept nogil:
    """What the frame says for itself, and what its template says for it."""
    cdef u32 i
    cdef int status
    out.spatial_id = template.spatial_id
    out.temporal_id = template.temporal_id
    out.target_count = s.target_count
    out.chain_count = s.chain_count
    if flags & 4:
        _take_targets(r, s.target_count, &out.targets)
    else:
        out.targets = template.targets
    if flags & 2:
        status = _take_frame_fdiffs(r, out)
        if status < 0:
            return status
    else:
        out.fdiff_count = template.fdiff_count
        for i in range(template.fdiff_count):
            out.fdiffs[i] = template.fdiffs[i]
    if flags & 1:
        for i in range(s.chain_count):
            out.chain_fdiffs[i] = <u8> take_bits(r, 8)
    else:
        memcpy(out.chain_fdiffs, template.chain_fdiffs, s.chain_count)
    if s.has_sizes:
        out.width = s.width[out.spatial_id]
        out.height = s.height[out.spatial_id]
    return E_SHORT if r.failed else OK


cdef void _compare_targets(const DdStructure* s, DdView* view) noexcept nogil:
    """What the layers of the decode targets that have this frame say of it."""
    cdef u32 left = view.targets.present
    cdef u32 target = 0
    view.unused_above = 1
    while left:
        if left & 1:
            if s.target_spatial_id[target] > view.spatial_id:
                view.unused_above = 0
            elif view.targets.switches >> target & 1 and s.target_temporal_id[target] == view.temporal_id:
                view.own_switch |= s.target_spatial_id[target] == view.spatial_id
        left >>= 1
        target += 1


cdef int _parse(BitReader* r, DdStructure* s, DdStructure* brought, DdView* out) noexcept nogil:
    cdef const DdStructure* now = s
    cdef u32 flags = 0, index
    cdef int status
    if r.size > 8 * _MANDATORY_SIZE:
        flags = take_bits(r, _FLAGS)
        if flags >> 4:
            out.has_structure = 1
            status = _take_structure(r, brought)
            if status < 0:
                return status
            brought.frame_number = out.frame_number
            brought.active_frame = out.frame_number
            now = brought
    index = (out.template_id - now.template_offset) & (DD_MAX_TEMPLATES - 1)
    if index >= now.template_count:
        # The frame that brings a structure is described by it.
        return E_MALFORMED if out.has_structure else OK
    out.active_pos = <u16> r.pos
    out.active = now.active
    if flags & _ACTIVE_FLAG:
        out.has_active = 1
        out.active = take_bits(r, now.target_count)
    status = _take_definition(r, flags, now, &now.templates[index], out)
    if status < 0:
        return status
    out.bits = <u16> r.pos
    out.known = 1
    out.structure = now.generation
    _compare_targets(now, out)
    return OK


cdef bint _says_the_same(const DdStructure* structure, DdStructure* brought) noexcept nogil:
    """As most keyframes do. The one that is brought gets the numbers of the other, if so."""
    cdef DdStructure other = brought[0]
    other.frame_number = structure.frame_number
    other.generation = structure.generation
    other.active_frame = structure.active_frame
    other.active = structure.active
    if memcmp(&other, structure, sizeof(DdStructure)) != 0:
        return False
    brought.generation = structure.generation
    return True


cdef void _take(DdStructure* structure, DdStructure* brought, DdView* out) noexcept nogil:
    cdef bint late = structure.template_count and _late(out.frame_number, structure.frame_number)
    if not _says_the_same(structure, brought):
        brought.generation = 0 if late else structure.generation + 1
    out.structure = brought.generation
    if not late:
        brought.active = out.active
        memcpy(structure, brought, sizeof(DdStructure))


cdef void dd_init(DdStructure* structure) noexcept nogil:
    memset(structure, 0, sizeof(DdStructure))


cdef int dd_parse(const u8* data, size_t size, DdStructure* structure, DdView* out) noexcept nogil:
    cdef BitReader r = bit_reader(data, size)
    cdef DdStructure brought
    cdef int status
    memset(out, 0, sizeof(DdView))
    if size < _MANDATORY_SIZE:
        return E_SHORT
    if size > DD_MAX_SIZE:
        return E_MALFORMED
    out.begins_frame = take_bits(&r, 1)
    out.ends_frame = take_bits(&r, 1)
    out.template_id = <u8> take_bits(&r, 6)
    out.frame_number = <u16> take_bits(&r, 16)
    status = _parse(&r, structure, &brought, out)
    if status < 0:
        return status
    if out.has_structure:
        _take(structure, &brought, out)
    elif out.has_active and not _late(out.frame_number, structure.active_frame):
        structure.active = out.active
        structure.active_frame = out.frame_number
    return OK


cdef void dd_facts(const DdView* view, bint marker, FrameFacts* out) noexcept nogil:
    cdef u32 i
    memset(out, 0, sizeof(FrameFacts))
    out.begins_frame = view.begins_frame
    out.ends_frame = view.ends_frame
    out.ends_picture = marker
    out.picture_bits = 16
    out.picture_id = view.frame_number
    if not view.known:
        return
    out.known = 1
    out.keyframe = view.begins_frame and view.has_structure and view.fdiff_count == 0
    out.spatial_id = view.spatial_id
    out.temporal_id = view.temporal_id
    out.discardable = view.targets.present != 0 and view.targets.present == view.targets.discardable
    out.switch_in = view.own_switch
    out.switch_up = out.keyframe
    # What an upper layer refers to may be of its own picture.
    out.predicted = view.fdiff_count > 0 and view.spatial_id == 0
    out.width = view.width
    out.height = view.height
    out.present = view.targets.present
    out.switches = view.targets.switches
    out.active = view.active
    out.structure = view.structure
    out.unused_above = view.unused_above
    out.refers_told = 1
    for i in range(view.fdiff_count):
        if view.fdiffs[i] <= 64:
            out.refers |= <u64> 1 << (view.fdiffs[i] - 1)
        else:
            out.refers_told = 0


cdef int dd_put_frame_number(u8* data, size_t size, u16 frame_number) noexcept nogil:
    if size < _MANDATORY_SIZE:
        return E_SHORT
    put16(data + 1, frame_number)
    return OK


cdef inline void _copy_bits(BitReader* r, BitWriter* w, size_t count) noexcept nogil:
    cdef u32 part
    while count and not r.failed:
        part = 32 if count > 32 else <u32> count
        add_bits(w, take_bits(r, part), part)
        count -= part


cdef int dd_write_active(const u8* data, size_t size, const DdView* view, u32 active, u8* out, size_t cap) noexcept nogil:
    cdef BitReader r = bit_reader(data, size)
    cdef BitWriter w = bit_writer(out, cap)
    cdef u32 flags = 0
    cdef size_t behind
    if not view.known:
        return E_STATE
    _copy_bits(&r, &w, 8 * _MANDATORY_SIZE)
    if size > _MANDATORY_SIZE:
        flags = take_bits(&r, _FLAGS)
    add_bits(&w, flags | _ACTIVE_FLAG, _FLAGS)
    if view.active_pos > r.pos:
        _copy_bits(&r, &w, view.active_pos - r.pos)      # the structure
    if view.has_active:
        take_bits(&r, view.target_count)
    add_bits(&w, active, view.target_count)
    behind = view.bits - r.pos if view.bits > r.pos else 0
    _copy_bits(&r, &w, behind)
    if r.failed:
        return E_SHORT
    return E_SPACE if w.failed else <int> ((w.pos + 7) >> 3)
