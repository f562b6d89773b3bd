"""Doors to the codecs' descriptors: read, told as facts, and written anew (see ``probe_wire`` for the manner)."""

from libc.string cimport memcmp
from simplestchat._native.core.bits cimport BitReader, BitWriter, add_bits, bit_reader, bit_writer, take_below, take_bits
from simplestchat._native.core.types cimport E_SHORT, E_SPACE, u8, u16, u32
from simplestchat._native.core.errors import raise_status
from simplestchat._native.stream.pidmap cimport (
    PidMap as _PidMap, pidmap_drop, pidmap_forward, pidmap_init, pidmap_switch,
)
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room
from simplestchat._native.wire.av1 cimport Av1View, av1_facts as _av1_facts, av1_parse as _av1_parse
from simplestchat._native.wire.av1dd cimport (
    DdStructure, DdTargets, DdView, dd_facts, dd_init, dd_parse, dd_put_frame_number, dd_write_active,
)
from simplestchat._native.wire.facts cimport FrameFacts, PictureIds, facts_stands_alone
from simplestchat._native.wire.h264 cimport h264_facts as _h264_facts
from simplestchat._native.wire.opus cimport OpusView, opus_parse as _opus_parse
from simplestchat._native.wire.red cimport RedView, red_parse as _red_parse
from simplestchat._native.wire.vp8 cimport (
    Vp8View, vp8_facts as _vp8_facts, vp8_ids as _vp8_ids, vp8_parse as _vp8_parse, vp8_rewrite as _vp8_rewrite,
)
from simplestchat._native.wire.vp9 cimport (
    Vp9Structure, Vp9View, vp9_facts as _vp9_facts, vp9_ids as _vp9_ids, vp9_parse as _vp9_parse,
    vp9_read_structure as _vp9_read_structure, vp9_rewrite as _vp9_rewrite,
)


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


def read_bits(bytes data, widths):
    """Read fields of so many bits each; a negative width -n reads a number below n."""
    cdef Exact copy = exact_copy(data)
    cdef BitReader r = bit_reader(copy.data, copy.size)
    found = [take_below(&r, -width) if width < 0 else take_bits(&r, width) for width in widths]
    _check(E_SHORT if r.failed else 0, "a row of bits")
    return found


def write_bits(fields, size_t cap):
    """Write (value, width) after each other into ``cap`` bytes."""
    cdef Exact out = exact_room(cap)
    cdef BitWriter w = bit_writer(out.data, cap)
    for value, width in fields:
        add_bits(&w, value, width)
    _check(E_SPACE if w.failed else 0, "a row of bits")
    return bytes(out.data[:(w.pos + 7) // 8])


cdef dict _facts(const FrameFacts* facts):
    return dict(facts[0]) | {"stands_alone": bool(facts_stands_alone(facts))}


cdef PictureIds _ids(dict given):
    cdef PictureIds ids
    ids.picture_bits = given.get("picture_bits", 0)
    ids.picture_id = given.get("picture_id", 0)
    ids.has_tl0picidx = given.get("has_tl0picidx", 0)
    ids.tl0picidx = given.get("tl0picidx", 0)
    ids.has_keyidx = given.get("has_keyidx", 0)
    ids.keyidx = given.get("keyidx", 0)
    return ids


def vp8_facts(bytes payload, bint marker=False):
    """Return the facts of a VP8 payload."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp8View view
    cdef FrameFacts facts
    _check(_vp8_parse(copy.data, copy.size, &view), "VP8 payload")
    _vp8_facts(&view, marker, &facts)
    return _facts(&facts)


def vp8_ids(bytes payload):
    """Return the numbers of a VP8 payload."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp8View view
    cdef PictureIds ids
    _check(_vp8_parse(copy.data, copy.size, &view), "VP8 payload")
    _vp8_ids(&view, &ids)
    return dict(ids)


def vp8_rewrite(bytes payload, dict ids):
    """Return a VP8 payload with other numbers; keys are those of PictureIds."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp8View view
    cdef PictureIds wanted = _ids(ids)
    _check(_vp8_parse(copy.data, copy.size, &view), "VP8 payload")
    _check(_vp8_rewrite(copy.data, copy.size, &view, &wanted), "VP8 payload")
    return bytes(copy.data[:copy.size])


def vp9_parse(bytes payload):
    """Parse a VP9 payload descriptor; keys are those of Vp9View."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp9View view
    _check(_vp9_parse(copy.data, copy.size, &view), "VP9 payload")
    result = dict(view)
    result["references"] = [view.references[i] for i in range(view.reference_count)]
    return result


def vp9_structure(bytes payload):
    """Return the scalability structure of a VP9 payload: sizes, and the group's (tid, switch_up, references)."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp9View view
    cdef Vp9Structure s
    cdef int i
    _check(_vp9_parse(copy.data, copy.size, &view), "VP9 payload")
    _check(_vp9_read_structure(copy.data, copy.size, &view, &s), "VP9 scalability structure")
    sizes = [(s.width[i], s.height[i]) for i in range(s.layer_count)] if s.has_sizes else None
    group = None
    if s.has_group:
        group = []
        for i in range(s.group_count):
            references = [s.group[i].references[j] for j in range(s.group[i].reference_count)]
            group.append((s.group[i].tid, s.group[i].switch_up, references))
    return {"layer_count": s.layer_count, "sizes": sizes, "group": group}


def vp9_facts(bytes payload, bint marker=False):
    """Return the facts of a VP9 payload."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp9View view
    cdef FrameFacts facts
    _check(_vp9_parse(copy.data, copy.size, &view), "VP9 payload")
    _vp9_facts(&view, marker, &facts)
    return _facts(&facts)


def vp9_ids(bytes payload):
    """Return the numbers of a VP9 payload."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp9View view
    cdef PictureIds ids
    _check(_vp9_parse(copy.data, copy.size, &view), "VP9 payload")
    _vp9_ids(&view, &ids)
    return dict(ids)


def vp9_rewrite(bytes payload, dict ids):
    """Return a VP9 payload with other numbers; keys are those of PictureIds."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp9View view
    cdef PictureIds wanted = _ids(ids)
    _check(_vp9_parse(copy.data, copy.size, &view), "VP9 payload")
    _check(_vp9_rewrite(copy.data, copy.size, &view, &wanted), "VP9 payload")
    return bytes(copy.data[:copy.size])


def av1_parse(bytes payload):
    """Parse an AV1 aggregation header and its elements; keys are those of Av1View."""
    cdef Exact copy = exact_copy(payload)
    cdef Av1View view
    _check(_av1_parse(copy.data, copy.size, &view), "AV1 payload")
    return dict(view)


def av1_facts(bytes payload, bint marker=False):
    """Return the facts of an AV1 payload without a dependency descriptor."""
    cdef Exact copy = exact_copy(payload)
    cdef Av1View view
    cdef FrameFacts facts
    _check(_av1_parse(copy.data, copy.size, &view), "AV1 payload")
    _av1_facts(&view, marker, &facts)
    return _facts(&facts)


def h264_facts(bytes payload, bint marker=False):
    """Return the facts of an H264 payload."""
    cdef Exact copy = exact_copy(payload)
    cdef FrameFacts facts
    _check(_h264_facts(copy.data, copy.size, marker, &facts), "H264 payload")
    return _facts(&facts)


def opus_parse(bytes payload):
    """Parse an Opus packet; keys are those of OpusView."""
    cdef Exact copy = exact_copy(payload)
    cdef OpusView view
    _check(_opus_parse(copy.data, copy.size, &view), "Opus packet")
    return dict(view)


def red_parse(bytes payload):
    """Return the blocks of a RED payload as (payload type, timestamp offset, content), the primary one last."""
    cdef Exact copy = exact_copy(payload)
    cdef RedView view
    cdef int i
    _check(_red_parse(copy.data, copy.size, &view), "RED payload")
    found = []
    for i in range(view.count):
        content = payload[view.blocks[i].off:view.blocks[i].off + view.blocks[i].size]
        found.append((view.blocks[i].payload_type, view.blocks[i].timestamp_offset, content))
    return found


cdef list _indications(const DdTargets* targets, int count):
    """The indications as the specification numbers them: not present, discardable, switch, required."""
    found = []
    for i in range(count):
        if not targets.present >> i & 1:
            found.append(0)
        elif targets.discardable >> i & 1:
            found.append(1)
        else:
            found.append(2 if targets.switches >> i & 1 else 3)
    return found


cdef class DependencyReader:
    """The structure of one stream, and the descriptors that are read with it."""

    cdef DdStructure state

    def __cinit__(self):
        dd_init(&self.state)

    def parse(self, bytes data):
        """Parse a descriptor; keys are those of DdView, with ``dtis`` for its targets."""
        cdef Exact copy = exact_copy(data)
        cdef DdView view
        _check(dd_parse(copy.data, copy.size, &self.state, &view), "dependency descriptor")
        result = dict(view)
        del result["targets"]
        result["dtis"] = _indications(&view.targets, view.target_count)
        result["fdiffs"] = result["fdiffs"][:view.fdiff_count]
        result["chain_fdiffs"] = [view.chain_fdiffs[i] for i in range(view.chain_count)]
        return result

    def facts(self, bytes data, bint marker=False):
        """Return the facts that a descriptor tells."""
        cdef Exact copy = exact_copy(data)
        cdef DdView view
        cdef FrameFacts facts
        _check(dd_parse(copy.data, copy.size, &self.state, &view), "dependency descriptor")
        dd_facts(&view, marker, &facts)
        return _facts(&facts)

    def write_active(self, bytes data, u32 active, size_t cap=255):
        """Return the descriptor with another mask of active targets."""
        cdef Exact copy = exact_copy(data), out = exact_room(cap)
        cdef DdView view
        _check(dd_parse(copy.data, copy.size, &self.state, &view), "dependency descriptor")
        size = _check(dd_write_active(copy.data, copy.size, &view, active, out.data, cap), "dependency descriptor")
        return bytes(out.data[:size])

    def structure(self):
        """Return the structure that is kept, or None."""
        cdef DdStructure* s = &self.state
        if s.template_count == 0:
            return None
        templates = []
        for i in range(s.template_count):
            templates.append({
                "spatial_id": s.templates[i].spatial_id,
                "temporal_id": s.templates[i].temporal_id,
                "dtis": _indications(&s.templates[i].targets, s.target_count),
                "fdiffs": [s.templates[i].fdiffs[j] for j in range(s.templates[i].fdiff_count)],
                "chain_fdiffs": [s.templates[i].chain_fdiffs[j] for j in range(s.chain_count)],
            })
        return {
            "offset": s.template_offset,
            "templates": templates,
            "protected_by": [s.protected_by[i] for i in range(s.target_count)] if s.chain_count else [],
            "chain_count": s.chain_count,
            "layers": [(s.target_spatial_id[i], s.target_temporal_id[i]) for i in range(s.target_count)],
            "sizes": [(s.width[i], s.height[i]) for i in range(s.layer_count)] if s.has_sizes else None,
            "active": s.active,
        }

    def same_as(self, DependencyReader other not None):
        """Say whether both keep the same, byte for byte."""
        return memcmp(&self.state, &other.state, sizeof(DdStructure)) == 0


def dd_with_frame_number(bytes data, u16 frame_number):
    """Return a dependency descriptor of another frame number."""
    cdef Exact copy = exact_copy(data)
    _check(dd_put_frame_number(copy.data, copy.size, frame_number), "dependency descriptor")
    return bytes(copy.data[:copy.size])


cdef class PidMap:
    """Numbers of pictures over switches; keys are those of PictureIds."""

    cdef _PidMap state

    def __cinit__(self):
        pidmap_init(&self.state)

    def forward(self, dict ids):
        """Return what to write, or None for a picture that has no image."""
        cdef PictureIds given = _ids(ids), out
        return dict(out) if pidmap_forward(&self.state, &given, &out) == 0 else None

    def drop(self, dict ids):
        """Leave the picture out."""
        cdef PictureIds given = _ids(ids)
        pidmap_drop(&self.state, &given)

    def switch(self):
        """Go on with another stream."""
        pidmap_switch(&self.state)
