"""VP9 payload descriptors; the contract is in ``vp9.pxd``."""

from libc.string cimport memset
from simplestchat._native.core.bytes cimport Reader, get16, reader, reader_left, take, take8, take16
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, E_STATE, OK, u8, u16, u32, u64
from simplestchat._native.wire.facts cimport IDS_VP9_AT, FrameFacts, PictureIds, ids_put

cdef enum:
    # First octet.
    _I = 0x80
    _P = 0x40
    _L = 0x20
    _F = 0x10
    _B = 0x08
    _E = 0x04
    _V = 0x02
    _Z = 0x01
    _WIDE = 0x80                 # a second octet of the picture id follows
    _MORE = 0x01                 # another reference index follows
    # Scalability structure.
    _Y = 0x10
    _G = 0x08
    _SIZE_OF_SIZE = 4            # width and height


cdef void _picture_id(Reader* r, Vp9View* out) noexcept nogil:
    cdef u8 octet = take8(r)
    out.has_picture_id = 1
    out.picture_id = octet & 0x7F
    if octet & _WIDE:
        out.wide_picture_id = 1
        out.picture_id = <u16> ((out.picture_id << 8) | take8(r))


cdef void _layers(Reader* r, Vp9View* out) noexcept nogil:
    cdef u8 octet = take8(r)
    out.tid = octet >> 5
    out.switch_up = (octet >> 4) & 1
    out.sid = (octet >> 1) & 7
    out.inter_layer = octet & 1
    if not out.flexible:
        out.has_tl0picidx = 1
        out.tl0picidx = take8(r)


cdef int _references(Reader* r, Vp9View* out) noexcept nogil:
    cdef u8 octet = _MORE
    while octet & _MORE:
        if out.reference_count == VP9_MAX_REFERENCES:
            return E_MALFORMED
        octet = take8(r)
        out.references[out.reference_count] = octet >> 1
        out.reference_count += 1
    return OK


cdef void _pass_structure(Reader* r, Vp9View* out) noexcept nogil:
    """Find the end of the structure, and in it the size of this layer."""
    cdef u8 flags, layers
    cdef int pictures
    cdef const u8* sizes
    out.structure_off = <u16> r.pos
    flags = take8(r)
    layers = (flags >> 5) + 1
    if flags & _Y:
        sizes = take(r, _SIZE_OF_SIZE * layers)
        if sizes is not NULL and out.sid < layers:
            out.width = get16(sizes + _SIZE_OF_SIZE * out.sid)
            out.height = get16(sizes + _SIZE_OF_SIZE * out.sid + 2)
    pictures = take8(r) if flags & _G else 0
    while pictures > 0 and not r.failed:
        take(r, take8(r) >> 2 & 3)
        pictures -= 1


cdef int vp9_parse(const u8* payload, size_t size, Vp9View* out) noexcept nogil:
    cdef Reader r = reader(payload, size)
    cdef u8 flags = take8(&r)
    cdef int status
    memset(out, 0, sizeof(Vp9View))
    if flags & _F and not flags & _I:            # references are differences of picture ids
        return E_MALFORMED
    out.predicted = (flags & _P) != 0
    out.layered = (flags & _L) != 0
    out.flexible = (flags & _F) != 0
    out.begins_frame = (flags & _B) != 0
    out.ends_frame = (flags & _E) != 0
    out.unused_above = flags & _Z
    if flags & _I:
        _picture_id(&r, out)
    if flags & _L:
        _layers(&r, out)
    if flags & _P and flags & _F:
        status = _references(&r, out)
        if status < 0:
            return status
    if flags & _V:
        _pass_structure(&r, out)
    if r.failed or reader_left(&r) == 0:         # a descriptor alone carries nothing
        return E_SHORT
    out.descriptor_size = <u16> r.pos
    out.keyframe = out.begins_frame and not out.predicted and out.sid == 0
    return OK


cdef int vp9_keyframe(const u8* payload, size_t size) noexcept nogil:
    cdef Vp9View view
    cdef int status = vp9_parse(payload, size, &view)
    return view.keyframe if status == OK else status


cdef void _read_group(Reader* r, Vp9Structure* out) noexcept nogil:
    cdef Vp9GroupPicture* picture
    cdef u8 octet
    cdef int i, j
    out.group_count = take8(r)
    for i in range(out.group_count):
        picture = &out.group[i]
        octet = take8(r)
        picture.tid = octet >> 5
        picture.switch_up = (octet >> 4) & 1
        picture.reference_count = (octet >> 2) & 3
        for j in range(picture.reference_count):
            picture.references[j] = take8(r)


cdef int vp9_read_structure(const u8* payload, size_t size, const Vp9View* view, Vp9Structure* out) noexcept nogil:
    cdef Reader r
    cdef u8 flags
    cdef int i
    memset(out, 0, sizeof(Vp9Structure))
    if view.structure_off == 0:
        return E_STATE
    r = reader(payload, size)
    take(&r, view.structure_off)
    flags = take8(&r)
    out.layer_count = (flags >> 5) + 1
    out.has_sizes = (flags & _Y) != 0
    out.has_group = (flags & _G) != 0
    if out.has_sizes:
        for i in range(out.layer_count):
            out.width[i] = take16(&r)
            out.height[i] = take16(&r)
    if out.has_group:
        _read_group(&r, out)
    return E_SHORT if r.failed else OK


cdef void vp9_facts(const Vp9View* view, bint marker, FrameFacts* out) noexcept nogil:
    cdef u32 i
    memset(out, 0, sizeof(FrameFacts))
    out.keyframe = view.keyframe
    out.begins_frame = view.begins_frame
    out.ends_frame = view.ends_frame
    out.ends_picture = marker
    out.spatial_id = view.sid
    out.temporal_id = view.tid
    # An upper layer of a picture that refers to no other picture can be begun with it, above what the lower ones gave.
    out.switch_in = view.begins_frame and not view.predicted
    out.switch_up = view.switch_up or view.keyframe
    out.predicted = view.predicted
    out.inter_layer = view.inter_layer and view.sid > 0
    out.unused_above = view.unused_above
    if view.has_picture_id:
        out.picture_bits = 15 if view.wide_picture_id else 7
        out.picture_id = view.picture_id
    out.width = view.width
    out.height = view.height
    out.refers_told = view.flexible or not view.predicted
    for i in range(view.reference_count):
        if 1 <= view.references[i] <= 64:
            out.refers |= <u64> 1 << (view.references[i] - 1)
        else:
            out.refers_told = 0


cdef void vp9_ids(const Vp9View* view, PictureIds* out) noexcept nogil:
    memset(out, 0, sizeof(PictureIds))
    if view.has_picture_id:
        out.picture_bits = 15 if view.wide_picture_id else 7
    out.picture_id = view.picture_id
    out.has_tl0picidx = view.has_tl0picidx
    out.tl0picidx = view.tl0picidx


cdef int vp9_rewrite(u8* payload, size_t size, const Vp9View* view, const PictureIds* ids) noexcept nogil:
    cdef PictureIds wanted
    if view.descriptor_size > size:
        return E_SHORT
    vp9_ids(view, &wanted)
    wanted.picture_id = ids.picture_id
    wanted.tl0picidx = ids.tl0picidx
    ids_put(payload, &wanted, IDS_VP9_AT, 1)     # the octet of the layers is between
    return OK
