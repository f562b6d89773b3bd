"""Payload descriptors of synthetic media; see payload.pxd for the contract.

What is written is always the same for the same frame, so reading can insist on each bit of it: one that is not as written is damage.
"""

from libc.string cimport memcmp, memset
from simplestchat._native.core.bytes cimport (
    Reader, Writer, add8, add16, get16, reader, reader_left, take, take8, take16, writer, written,
)
from simplestchat._native.core.types cimport E_MALFORMED, E_SHORT, E_UNSUPPORTED, OK, u8, u16, u32, u64
from simplestchat._native.peer.scalability cimport SCALABILITY_MAX, PictureLayers, Scalability, scalability_picture
from simplestchat._native.peer.stamp cimport STAMP_KEYFRAME, STAMP_LAST, Stamp
from simplestchat._native.wire.vp8 cimport Vp8View, vp8_parse

cdef enum:
    _OPUS_TOC = 0x78             # RFC 6716 section 3.1: full band, 20 ms, mono, one frame
    _PICTURE_ID_BITS = 0x7FFF
    _MAX_SIDE = 0x3FFF           # VP8 has 14 bits for a side of the picture
    # VP8: descriptor (RFC 7741 section 4.2) and frame tag (RFC 6386 section 9.1).
    _VP8_X = 0x80
    _VP8_S = 0x10
    _VP8_I = 0x80
    _VP8_L = 0x40
    _VP8_T = 0x20
    _VP8_Y = 0x20                # beside the temporal layer
    _VP8_TAG = 0x50              # shown, version 0; the lowest bit says that it is no keyframe
    _VP8_TAG_REST = 0x0200
    # VP9: descriptor (RFC 9628 section 4.2).
    _VP9_I = 0x80
    _VP9_P = 0x40
    _VP9_L = 0x20
    _VP9_F = 0x10
    _VP9_B = 0x08
    _VP9_E = 0x04
    _VP9_V = 0x02
    _VP9_Y = 0x10                # of the structure: sizes follow
    _VP9_G = 0x08                # and a group of pictures
    _VP9_U = 0x10                # beside the layers: switching up is possible
    _VP9_ONE = 0x04              # one reference of a picture of the group
    _VP9_STRUCTURE_SIZE = 32     # at most
    _VP9_KEY = 0x82              # uncompressed header: frame marker, profile 0, key frame, shown
    _VP9_INTER = 0x86
    _VP9_BT601 = 2               # color_config: color_space 1, studio range
    # H264 (RFC 6184 sections 5.3, 5.6 and 5.8).
    _H264_IDR = 0x65
    _H264_SLICE = 0x41
    _H264_FU_A = 28
    _FU_START = 0x80
    _FU_END = 0x40
    _H264_FIRST_IDR = 0x88       # first_mb_in_slice 0, slice_type I
    _H264_FIRST_SLICE = 0x9A     # first_mb_in_slice 0, slice_type P
    # AV1: aggregation header (RTP payload format section 4.4) and OBU headers (AV1 section 5.3).
    _AV1_Z = 0x80
    _AV1_Y = 0x40
    _AV1_W1 = 0x10
    _AV1_W2 = 0x20
    _AV1_N = 0x08
    _OBU_SEQUENCE = 0x08
    _OBU_FRAME = 0x30
    _AV1_SEQUENCE_SIZE = 13      # OBU header and sequence header
    _AV1_SHOWN_KEY = 0x10        # show_existing_frame 0, frame_type KEY, show_frame 1
    _AV1_SHOWN_INTER = 0x30


cdef void _write_vp8(Writer* w, const PayloadFrame* f) noexcept nogil:
    cdef bint tid = f.temporal_layer or f.layered
    add8(w, _VP8_X | (_VP8_S if f.first else 0))
    add8(w, _VP8_I | (_VP8_L if f.layered else 0) | (_VP8_T if tid else 0))
    add16(w, <u16> (0x8000 | (f.picture_id & _PICTURE_ID_BITS)))
    if f.layered:
        add8(w, f.base_pictures)
    if tid:
        add8(w, <u8> (f.temporal_layer << 6 | (_VP8_Y if f.sync else 0)))
    if f.first:
        add8(w, _VP8_TAG | (0 if f.keyframe else 1))
        add16(w, _VP8_TAG_REST)
        if f.keyframe:
            add8(w, 0x9D)
            add16(w, 0x012A)
            add16(w, <u16> ((f.width & 0xFF) << 8 | f.width >> 8))       # little-endian
            add16(w, <u16> ((f.height & 0xFF) << 8 | f.height >> 8))


cdef int _read_vp8(Reader* r, PayloadFrame* out) noexcept nogil:
    cdef Vp8View view
    cdef int status = vp8_parse(r.data, r.size, &view)
    cdef const u8* sides
    cdef u8 tag, known
    if status < 0:
        return status
    # X with I and perhaps T or L and T, 15 bits of picture id, and a temporal layer with nothing but Y beside it.
    known = _VP8_I | (_VP8_T if view.has_tid else 0) | (_VP8_L if view.has_tl0picidx else 0)
    if r.data[0] & ~_VP8_S != _VP8_X or r.data[1] != known or not view.wide_picture_id or view.has_tl0picidx > view.has_tid:
        return E_MALFORMED
    if view.has_tid and r.data[view.descriptor_size - 1] != (view.tid << 6 | (_VP8_Y if view.layer_sync else 0)):
        return E_MALFORMED
    if view.has_tid and not view.has_tl0picidx and (view.tid == 0 or view.layer_sync):
        return E_MALFORMED
    out.layered = view.has_tl0picidx
    out.base_pictures = view.tl0picidx
    out.sync = view.layer_sync
    take(r, view.descriptor_size)
    out.first = view.start
    out.keyframe = view.keyframe
    out.picture_id = view.picture_id
    out.temporal_layer = view.tid
    out.width = view.width
    out.height = view.height
    if view.start:
        tag = take8(r)
        if tag & 0xFE != _VP8_TAG or take16(r) != _VP8_TAG_REST:
            return E_MALFORMED
        if view.keyframe:
            sides = take(r, 7)
            if sides is not NULL and (sides[4] | sides[6]) & 0xC0:       # a scale
                return E_MALFORMED
    return <int> r.pos


cdef void _write_vp9_structure(Writer* w, const PayloadFrame* f) noexcept nogil:
    """The scalability structure: sizes of all spatial layers, and the pattern of temporal layers where there are several."""
    cdef Scalability m
    cdef PictureLayers l
    cdef u8 spatial = max(f.spatial_count, <u8> 1), shift, i
    cdef bint group = f.temporal_count > 1
    add8(w, <u8> (spatial - 1) << 5 | _VP9_Y | (_VP9_G if group else 0))
    for i in range(spatial):
        shift = spatial - 1 - i
        add16(w, f.width >> shift)
        add16(w, f.height >> shift)
    if group:
        m.spatial, m.temporal, m.key = spatial, f.temporal_count, 0
        add8(w, <u8> (1 << (f.temporal_count - 1)))
        for i in range(1 << (f.temporal_count - 1)):
            scalability_picture(&m, (1 << (f.temporal_count - 1)) + i, &l)
            add8(w, <u8> (l.temporal << 5) | _VP9_U | _VP9_ONE)
            add8(w, l.back)


cdef int _read_vp9_structure(Reader* r, PayloadFrame* out) noexcept nogil:
    """As it is written and not otherwise."""
    cdef u8 again[_VP9_STRUCTURE_SIZE]
    cdef Writer w = writer(again, sizeof(again))
    cdef size_t begin = r.pos
    cdef u8 head = take8(r), pictures = 2
    take(r, 4 * (head >> 5))
    out.spatial_count = (head >> 5) + 1
    out.width = take16(r)
    out.height = take16(r)
    out.temporal_count = 1
    if head & _VP9_G:
        pictures = take8(r)
        out.temporal_count = 2 if pictures == 2 else 3
    if out.spatial_count > SCALABILITY_MAX or (pictures != 2 and pictures != 4):
        return E_MALFORMED
    if head & _VP9_G:
        take(r, 2 * pictures)
    _write_vp9_structure(&w, out)
    if r.failed:
        return E_SHORT
    if out.spatial_count == 1 and out.temporal_count == 1 and out.layered:
        return E_MALFORMED
    return OK if w.pos == r.pos - begin and memcmp(again, r.data + begin, w.pos) == 0 else E_MALFORMED


cdef void _write_vp9(Writer* w, const PayloadFrame* f) noexcept nogil:
    cdef u16 width = <u16> (f.width - 1), height = <u16> (f.height - 1)
    cdef bint layered = f.temporal_layer != 0 or f.spatial_layer != 0 or f.layered
    cdef bint intra = f.keyframe and f.spatial_layer == 0
    cdef bint sized = intra and f.first
    add8(w, _VP9_I | (0 if f.keyframe else _VP9_P) | (_VP9_L if layered else 0) | (_VP9_B if f.first else 0)
         | (_VP9_E if f.last else 0) | (_VP9_V if sized else 0) | (1 if f.unused_above else 0))
    add16(w, <u16> (0x8000 | (f.picture_id & _PICTURE_ID_BITS)))
    if layered:
        add8(w, <u8> (f.temporal_layer << 5) | (_VP9_U if f.layered else 0) | <u8> (f.spatial_layer << 1) | (1 if f.inter_layer else 0))
        # TL0PICIDX; without layers every second picture is of layer 0.
        add8(w, f.base_pictures if f.layered else <u8> (f.picture_id >> 1 & 0xFF))
    if sized:
        _write_vp9_structure(w, f)
    if f.first:
        add8(w, _VP9_KEY if intra else _VP9_INTER)
    if sized:
        add16(w, 0x4983)
        add8(w, 0x42)
        add8(w, <u8> (_VP9_BT601 << 4 | width >> 12))                    # the sides are not at a byte's border
        add8(w, <u8> (width >> 4 & 0xFF))
        add8(w, <u8> ((width & 0xF) << 4 | height >> 12))
        add8(w, <u8> (height >> 4 & 0xFF))
        add8(w, <u8> ((height & 0xF) << 4))


cdef int _read_vp9_layers(Reader* r, PayloadFrame* out) noexcept nogil:
    cdef u8 layers = take8(r)
    out.layered = layers & _VP9_U != 0             # every picture of our patterns is a switching point
    out.temporal_layer = layers >> 5
    out.spatial_layer = layers >> 1 & 7
    out.inter_layer = layers & 1
    out.base_pictures = take8(r)
    if out.temporal_layer > 3 or (not out.layered and (layers & 1 or out.unused_above or layers == 0)):
        return E_MALFORMED
    return OK


cdef int _read_vp9(Reader* r, PayloadFrame* out) noexcept nogil:
    cdef u8 flags = take8(r)
    cdef u64 size_bits
    cdef int status = OK
    cdef bint sized = flags & _VP9_V != 0
    cdef bint intra
    out.first = flags & _VP9_B != 0
    out.last = flags & _VP9_E != 0
    out.unused_above = flags & 1
    out.keyframe = not flags & _VP9_P
    out.picture_id = take16(r)
    if not flags & _VP9_I or flags & _VP9_F or out.picture_id < 0x8000 or (out.unused_above and not flags & _VP9_L):
        return E_SHORT if r.failed else E_MALFORMED
    out.picture_id &= _PICTURE_ID_BITS
    if flags & _VP9_L:
        status = _read_vp9_layers(r, out)
    intra = out.keyframe != 0 and out.spatial_layer == 0
    if status == OK and sized != (intra and out.first != 0):
        status = E_SHORT if r.failed else E_MALFORMED
    if status == OK and sized:
        status = _read_vp9_structure(r, out)
    if status < 0:
        return status
    if out.first and take8(r) != (_VP9_KEY if intra else _VP9_INTER):
        return E_SHORT if r.failed else E_MALFORMED
    if sized:
        if take16(r) != 0x4983 or take8(r) != 0x42:
            return E_SHORT if r.failed else E_MALFORMED
        size_bits = <u64> take8(r) << 32 | <u64> take16(r) << 16 | take16(r)
        if size_bits != (<u64> _VP9_BT601 << 36 | <u64> <u16> (out.width - 1) << 20 | <u64> <u16> (out.height - 1) << 4):
            return E_SHORT if r.failed else E_MALFORMED
    return <int> r.pos


cdef void _write_h264(Writer* w, const PayloadFrame* f) noexcept nogil:
    cdef u8 unit = _H264_IDR if f.keyframe else _H264_SLICE
    if f.first and f.last:
        add8(w, unit)
    else:
        add8(w, (unit & 0xE0) | _H264_FU_A)
        add8(w, (unit & 0x1F) | (_FU_START if f.first else 0) | (_FU_END if f.last else 0))
    if f.first:
        add8(w, _H264_FIRST_IDR if f.keyframe else _H264_FIRST_SLICE)


cdef int _read_h264(Reader* r, PayloadFrame* out) noexcept nogil:
    cdef u8 unit = take8(r), fragment
    if unit & 0x1F == _H264_FU_A:
        fragment = take8(r)
        unit = (unit & 0xE0) | (fragment & 0x1F)
        out.first = fragment & _FU_START != 0
        out.last = fragment & _FU_END != 0
        if fragment & 0x20 or (out.first and out.last):
            return E_MALFORMED
    else:
        out.first = out.last = 1
    if unit != _H264_IDR and unit != _H264_SLICE:
        return E_SHORT if r.failed else E_MALFORMED
    out.keyframe = unit == _H264_IDR
    if out.first and take8(r) != (_H264_FIRST_IDR if out.keyframe else _H264_FIRST_SLICE):
        return E_SHORT if r.failed else E_MALFORMED
    return <int> r.pos


# A sequence header (AV1 section 5.5.1) in 96 bits: profile 0, one operating point of level 3.1 (29 bits), both sides in 16 bits
# (8 bits say so), then no frame ids, the coding tools allowed, 8 bit 4:2:0, no film grain, and the trailing one bit.
cdef enum:
    _AV1_HEAD = 0x5FF            # the 37 bits before the width: zeros, seq_level_idx 5, twice 15
    _AV1_TAIL = 0x1FB6010        # the 27 bits behind the height


cdef void _write_av1_sequence(Writer* w, u16 width, u16 height) noexcept nogil:
    cdef u64 head = <u64> _AV1_HEAD << 27 | <u64> <u16> (width - 1) << 11 | <u16> (height - 1) >> 5
    cdef u32 tail = <u32> <u16> (height - 1) << 27 | _AV1_TAIL
    add8(w, _OBU_SEQUENCE)
    add16(w, <u16> (head >> 48))
    add16(w, <u16> (head >> 32 & 0xFFFF))
    add16(w, <u16> (head >> 16 & 0xFFFF))
    add16(w, <u16> (head & 0xFFFF))
    add16(w, <u16> (tail >> 16))
    add16(w, <u16> (tail & 0xFFFF))


cdef int _read_av1_sequence(Reader* r, PayloadFrame* out) noexcept nogil:
    cdef u64 head
    cdef u32 tail
    if take8(r) != _OBU_SEQUENCE:
        return E_MALFORMED
    head = <u64> take16(r) << 48
    head |= <u64> take16(r) << 32
    head |= <u64> take16(r) << 16
    head |= take16(r)
    tail = <u32> take16(r) << 16
    tail |= take16(r)
    if head >> 27 != _AV1_HEAD or tail & 0x7FFFFFF != _AV1_TAIL:
        return E_MALFORMED
    out.width = <u16> ((head >> 11 & 0xFFFF) + 1)
    out.height = <u16> ((head & 0x7FF) << 5 | tail >> 27) + 1
    return 0


cdef void _write_av1(Writer* w, const PayloadFrame* f) noexcept nogil:
    cdef bint begins = f.keyframe and f.first and f.spatial_layer == 0
    add8(w, (0 if f.first else _AV1_Z) | (0 if f.last else _AV1_Y) | (_AV1_W2 if begins else _AV1_W1) | (_AV1_N if begins else 0))
    if begins:
        add8(w, _AV1_SEQUENCE_SIZE)
        _write_av1_sequence(w, f.width, f.height)
    if f.first:
        add8(w, _OBU_FRAME)
        add8(w, _AV1_SHOWN_KEY if begins else _AV1_SHOWN_INTER)


cdef int _read_av1(Reader* r, PayloadFrame* out) noexcept nogil:
    cdef u8 flags = take8(r)
    cdef bint begins = flags & _AV1_N != 0
    cdef int status = 0
    out.first = not flags & _AV1_Z
    out.last = not flags & _AV1_Y
    out.keyframe = begins
    if flags & 0x07 or flags & 0x30 != (_AV1_W2 if begins else _AV1_W1) or (begins and not out.first):
        return E_SHORT if r.failed else E_MALFORMED
    if begins:
        if take8(r) != _AV1_SEQUENCE_SIZE:
            return E_SHORT if r.failed else E_MALFORMED
        status = _read_av1_sequence(r, out)
    if status == 0 and out.first:
        if take8(r) != _OBU_FRAME or take8(r) != (_AV1_SHOWN_KEY if begins else _AV1_SHOWN_INTER):
            status = E_MALFORMED
    if r.failed:
        return E_SHORT
    return <int> r.pos if status == 0 else status


cdef int payload_write(u8* out, size_t cap, const PayloadFrame* frame) noexcept nogil:
    cdef Writer w = writer(out, cap)
    if frame.keyframe and frame.codec != PAYLOAD_OPUS and not (0 < frame.width <= _MAX_SIDE and 0 < frame.height <= _MAX_SIDE):
        return E_UNSUPPORTED
    if frame.temporal_layer > 3 or frame.spatial_layer > 7 or frame.spatial_count > SCALABILITY_MAX or frame.temporal_count > SCALABILITY_MAX:
        return E_UNSUPPORTED
    if frame.codec == PAYLOAD_OPUS:
        add8(&w, _OPUS_TOC)
    elif frame.codec == PAYLOAD_VP8:
        _write_vp8(&w, frame)
    elif frame.codec == PAYLOAD_H264:
        _write_h264(&w, frame)
    elif frame.codec == PAYLOAD_VP9:
        _write_vp9(&w, frame)
    elif frame.codec == PAYLOAD_AV1:
        _write_av1(&w, frame)
    else:
        return E_UNSUPPORTED
    return written(&w)


cdef int _read(u8 codec, Reader* r, PayloadFrame* out) noexcept nogil:
    if codec == PAYLOAD_VP8:
        return _read_vp8(r, out)
    if codec == PAYLOAD_H264:
        return _read_h264(r, out)
    if codec == PAYLOAD_VP9:
        return _read_vp9(r, out)
    if codec == PAYLOAD_AV1:
        return _read_av1(r, out)
    if codec != PAYLOAD_OPUS:
        return E_UNSUPPORTED
    out.first = out.last = 1
    return 1 if take8(r) == _OPUS_TOC else E_MALFORMED


cdef int payload_read(u8 codec, const u8* data, size_t size, PayloadFrame* out) noexcept nogil:
    cdef Reader r = reader(data, size)
    cdef int offset
    memset(out, 0, sizeof(PayloadFrame))
    out.codec = codec
    offset = _read(codec, &r, out)
    if r.failed:
        return E_SHORT
    if codec != PAYLOAD_OPUS and codec != PAYLOAD_H264 and offset >= 0 and out.keyframe and out.first and out.spatial_layer == 0:
        if not (0 < out.width <= _MAX_SIDE and 0 < out.height <= _MAX_SIDE):
            return E_MALFORMED
    return offset


cdef inline bint _agree_layers(u8 codec, const PayloadFrame* frame, const Stamp* stamp) noexcept nogil:
    """AV1 tells its layers elsewhere."""
    if codec == PAYLOAD_AV1:
        return True
    return frame.layered and frame.temporal_layer == stamp.temporal and frame.spatial_layer == stamp.spatial and (
        codec != PAYLOAD_VP9 or frame.inter_layer == stamp.inter_layer)


cdef bint payload_agrees(u8 codec, const PayloadFrame* frame, const Stamp* stamp) noexcept nogil:
    cdef bint last = stamp.flags & STAMP_LAST != 0
    cdef bint keyframe
    if stamp.part >= stamp.parts or last != (stamp.part + 1 == stamp.parts):
        return False
    if codec == PAYLOAD_OPUS:
        return stamp.parts == 1 and not stamp.flags & STAMP_KEYFRAME
    if frame.first != (stamp.part == 0) or (frame.last != last and codec != PAYLOAD_VP8):
        return False
    if stamp.layered and not _agree_layers(codec, frame, stamp):
        return False
    keyframe = stamp.flags & STAMP_KEYFRAME != 0 and (stamp.layered == 0 or stamp.spatial == 0 or codec == PAYLOAD_VP9)
    return not frame.first or frame.keyframe == keyframe
