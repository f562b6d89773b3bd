"""Layers of synthetic streams; see scalability.pxd for the contract.

The structure has a template for each spatial layer and each kind of picture, in this order (of those that the pattern has): a keyframe, a
picture of temporal layer 0, of layer 1, of layer 2 behind layer 0 and behind layer 1. A decode target is a spatial and a temporal
layer; each spatial layer has a chain. The number of a frame is that of its picture times the spatial layers, plus its own, whether
or not all of them are sent: so distances never change.
"""

from simplestchat._native.core.bits cimport BitWriter, add_bits, bit_writer
from simplestchat._native.core.types cimport E_SPACE, u8, u16, u32

cdef enum:
    _KINDS = 5                   # of pictures
    _TEMPLATE_IDS = 64
    _KEYFRAME = 0
    _NOT_PRESENT = 0             # decode target indications
    _DISCARDABLE = 1
    _SWITCH = 2
    _REQUIRED = 3
    _SAME_LAYER = 0              # what next_layer_idc says of the template behind
    _NEXT_TEMPORAL = 1
    _NEXT_SPATIAL = 2
    _NO_MORE = 3

cdef double[3][3] _SHARES = [[1.0, 0, 0], [0.3, 0.7, 0], [0.1, 0.25, 0.65]]
cdef double[3][3] _WEIGHTS = [[1.0, 0, 0], [1.2, 0.8, 0], [1.6, 0.8, 0.8]]


cdef inline u8 _count(u8 layers) noexcept nogil:
    return layers if layers else 1


cdef inline u32 _period(const Scalability* m) noexcept nogil:
    return 1 << (_count(m.temporal) - 1)


cdef double scalability_share(const Scalability* m, u8 spatial) noexcept nogil:
    return _SHARES[_count(m.spatial) - 1][spatial]


cdef double scalability_weight(const Scalability* m, u8 temporal) noexcept nogil:
    return _WEIGHTS[_count(m.temporal) - 1][temporal]


cdef void scalability_picture(const Scalability* m, u32 since_keyframe, PictureLayers* out) noexcept nogil:
    cdef u32 period = _period(m), place = since_keyframe % period
    out.back = <u8> period
    out.temporal = out.sync = 0
    out.since_base = <u8> (place if place else period)
    if place:
        # The halves of the pattern are odd places, which refer to the picture right before; the quarter refers to the base.
        out.temporal = m.temporal - 1 if place & 1 else 1
        out.back = 1 if place & 1 else <u8> place
        out.sync = place < 3
    if since_keyframe == 0:
        out.back = out.since_base = 0


cdef inline u8 _kind(const PictureLayers* l) noexcept nogil:
    """Place of a picture among its layer's templates."""
    if l.back == 0:
        return _KEYFRAME
    if l.temporal == 0:
        return 1
    if l.temporal == 1:
        return 2
    return 3 if l.since_base == 1 else 4


cdef void _example(const Scalability* m, u8 kind, PictureLayers* out) noexcept nogil:
    """A picture of that kind."""
    cdef u32[5] place = [0, _period(m), _period(m) // 2, 1, 3]
    scalability_picture(m, place[kind], out)


cdef inline u8 _kinds(const Scalability* m) noexcept nogil:
    return _KINDS if m.temporal == 3 else 1 + _count(m.temporal)


cdef u32 _indication(const Scalability* m, u8 spatial, u8 temporal, bint keyframe, u8 target_spatial, u8 target_temporal) noexcept nogil:
    """What a frame is to a decode target."""
    if target_spatial < spatial or target_temporal < temporal:
        return _NOT_PRESENT
    if keyframe:
        return _SWITCH
    if target_spatial > spatial:
        return _NOT_PRESENT if m.key else _REQUIRED
    return _DISCARDABLE if temporal and target_temporal == temporal else _SWITCH


cdef void _add_targets(BitWriter* w, const Scalability* m, u8 spatial, const PictureLayers* l) noexcept nogil:
    cdef u8 s, t
    for s in range(_count(m.spatial)):
        for t in range(_count(m.temporal)):
            add_bits(w, _indication(m, spatial, l.temporal, l.back == 0, s, t), 2)


cdef void _add_references(BitWriter* w, const Scalability* m, u8 spatial, const PictureLayers* l) noexcept nogil:
    if l.back:
        add_bits(w, 0x10 | (l.back * _count(m.spatial) - 1), 5)
    if scalability_inter_layer(m, spatial, l.back == 0):
        add_bits(w, 0x10, 5)
    add_bits(w, 0, 1)


cdef u32 _chain_distance(const Scalability* m, u8 spatial, const PictureLayers* l, u8 chain) noexcept nogil:
    """How many frames back the one before in a chain is."""
    cdef u8 below = min(chain, <u8> (spatial - 1))
    if l.temporal == 0 and spatial:
        if l.back == 0 or not m.key:
            return spatial - below
        if chain < spatial:
            return spatial - chain
    return l.since_base * _count(m.spatial) + spatial - chain if l.back else 0


cdef void _add_below(BitWriter* w, u32 value, u32 values) noexcept nogil:
    """ns(values): in as few bits as it needs."""
    cdef u32 width = 0, rest = values, short_ones
    while rest:
        rest >>= 1
        width += 1
    short_ones = (<u32> 1 << width) - values
    if value < short_ones:
        add_bits(w, value, width - 1)
    else:
        add_bits(w, (value + short_ones) >> 1, width - 1)
        add_bits(w, (value + short_ones) & 1, 1)


cdef void _add_layers(BitWriter* w, const Scalability* m) noexcept nogil:
    """How from each template to the next the layers go on."""
    cdef PictureLayers l, behind
    cdef u8 s, kind
    for s in range(_count(m.spatial)):
        for kind in range(_kinds(m) - 1):
            _example(m, kind, &l)
            _example(m, kind + 1, &behind)
            add_bits(w, _NEXT_TEMPORAL if behind.temporal > l.temporal else _SAME_LAYER, 2)
        add_bits(w, _NEXT_SPATIAL if s + 1 < _count(m.spatial) else _NO_MORE, 2)


cdef inline u32 _first_template(const Scalability* m, u32 key_picture) noexcept nogil:
    """Each structure numbers its templates behind those of others, as encoders do: a packet is not taken for one of the next."""
    return key_picture * _count(m.spatial) * _kinds(m) % _TEMPLATE_IDS


cdef void _add_structure(BitWriter* w, const Scalability* m, u32 first_template, u16 width, u16 height) noexcept nogil:
    cdef u8 spatial = _count(m.spatial), targets = spatial * _count(m.temporal)
    cdef PictureLayers l
    cdef u8 s, kind, i
    add_bits(w, first_template, 6)
    add_bits(w, targets - 1, 5)
    _add_layers(w, m)
    for s in range(spatial):
        for kind in range(_kinds(m)):
            _example(m, kind, &l)
            _add_targets(w, m, s, &l)
    for s in range(spatial):
        for kind in range(_kinds(m)):
            _example(m, kind, &l)
            _add_references(w, m, s, &l)
    _add_below(w, spatial, targets + 1)
    for i in range(targets):
        _add_below(w, i // _count(m.temporal), spatial)
    for s in range(spatial):
        for kind in range(_kinds(m)):
            _example(m, kind, &l)
            for i in range(spatial):
                add_bits(w, _chain_distance(m, s, &l, i), 4)
    add_bits(w, 1, 1)
    for s in range(spatial):
        add_bits(w, (width >> (spatial - 1 - s)) - 1, 16)
        add_bits(w, (height >> (spatial - 1 - s)) - 1, 16)


cdef int scalability_descriptor(u8* out, u32 cap, const Scalability* m, const PictureLayers* layers, u32 picture, u32 key_picture, u8 spatial,
                                bint first, bint last, u8 active, bint structure, u16 width, u16 height) noexcept nogil:
    cdef BitWriter w = bit_writer(out, cap)
    cdef u8 targets = _count(m.spatial) * _count(m.temporal)
    cdef u32 first_template = _first_template(m, key_picture)
    cdef bint partly = first and active < _count(m.spatial)
    add_bits(&w, first, 1)
    add_bits(&w, last, 1)
    add_bits(&w, (first_template + spatial * _kinds(m) + _kind(layers)) % _TEMPLATE_IDS, 6)
    add_bits(&w, <u16> (picture * _count(m.spatial) + spatial), 16)
    if structure or partly:
        add_bits(&w, structure << 4 | partly << 3, 5)
    if structure:
        _add_structure(&w, m, first_template, width, height)
    if partly:
        add_bits(&w, (<u32> 1 << active * _count(m.temporal)) - 1, targets)
    return E_SPACE if w.failed else <int> ((w.pos + 7) >> 3)
