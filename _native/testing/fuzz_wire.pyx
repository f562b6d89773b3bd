"""Fuzz targets of STUN, RTP, header extensions, the demultiplexer and WebSocket frames.

Invariant of each: no byte outside the input or output buffer is touched, every offset of an accepted view lies inside its packet,
and what our writers make of an accepted view parses back to the same view.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp
from simplestchat._native.core.bytes cimport get16, put16, put32
from simplestchat._native.core.types cimport E_NOMEM, E_SHORT, E_SPACE, OK, u8, u16, u64
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_run
from simplestchat._native.wire.demux cimport KIND_RTCP, KIND_UNKNOWN, demux
from simplestchat._native.wire.rtp cimport (
    RtpExt, RtpExtWriter, RtpView, rtp_ext_begin, rtp_ext_end, rtp_ext_find, rtp_ext_next, rtp_ext_put, rtp_parse, rtp_payload_size,
    rtp_write_fixed,
)
from simplestchat._native.wire.stun cimport (
    STUN_BINDING_ERROR, STUN_BINDING_SUCCESS, STUN_HEADER_SIZE, StunView, stun_fingerprint, stun_parse, stun_write_error,
    stun_write_request, stun_write_success,
)
from simplestchat._native.wire.websocket cimport (
    WS_HEAD_MAX, WS_MASK_SIZE, WS_TEXT_WHOLE, WsHead, ws_head, ws_mask, ws_write_text_head,
)

FUZZ_TARGETS = ("stun", "rtp", "ext", "ext-rewrite", "demux", "websocket")


# Length and checksum made right, or nothing mutated would come past them.
cdef void _mend_stun(u8* data, size_t size, u64* random) noexcept nogil:
    if size < STUN_HEADER_SIZE or fuzz_below(random, 4) == 0:
        return
    put16(data + 2, <u16> (size - STUN_HEADER_SIZE))
    if size >= STUN_HEADER_SIZE + 8 and get16(data + size - 8) == 0x8028:
        put16(data + size - 6, 4)
        put32(data + size - 4, stun_fingerprint(data, size - 8))


cdef int _rewrite_request(const u8* data, const StunView* view, u8* out, size_t cap, bint use_candidate) noexcept nogil:
    cdef StunView again
    cdef int size = stun_write_request(out, cap, data + view.txid_off, data + view.username_off, view.username_len,
                                       view.priority, view.controlling, view.tie_breaker, use_candidate)
    if size < 0:
        return size
    if <size_t> size > cap or stun_parse(out, size, &again) < 0:
        return FUZZ_BROKEN
    if again.priority != view.priority or again.tie_breaker != view.tie_breaker or again.use_candidate != use_candidate:
        return FUZZ_BROKEN
    if again.username_len != view.username_len or again.controlling != view.controlling:
        return FUZZ_BROKEN
    if memcmp(out + again.username_off, data + view.username_off, view.username_len) != 0:
        return FUZZ_BROKEN
    return OK


cdef int _rewrite_answers(const u8* data, const StunView* view, u8* out, size_t cap) noexcept nogil:
    cdef StunView again
    cdef int size = stun_write_success(out, cap, data + view.txid_off, view.mapped_ip, view.mapped_port)
    if size >= 0:
        if <size_t> size > cap or stun_parse(out, size, &again) < 0 or again.type != STUN_BINDING_SUCCESS:
            return FUZZ_BROKEN
        if memcmp(again.mapped_ip, view.mapped_ip, 16) != 0 or again.mapped_port != view.mapped_port:
            return FUZZ_BROKEN
    size = stun_write_error(out, cap, data + view.txid_off, 420, view.unknown, view.unknown_count)
    if size < 0:
        return size
    if <size_t> size > cap or stun_parse(out, size, &again) < 0 or again.type != STUN_BINDING_ERROR or again.error_code != 420:
        return FUZZ_BROKEN
    return OK


cdef int _stun(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef StunView view
    cdef u8* out
    cdef size_t cap
    cdef int status
    _mend_stun(data, size, &random)
    status = stun_parse(data, size, &view)
    if status < 0:
        return status
    if <size_t> view.username_off + view.username_len > size or view.unknown_count > 8:
        return FUZZ_BROKEN
    if view.integrity_off and <size_t> view.integrity_off + 24 > size:
        return FUZZ_BROKEN
    if view.fingerprint_off and <size_t> view.fingerprint_off + 8 != size:
        return FUZZ_BROKEN
    cap = fuzz_below(&random, 640)
    out = <u8*> malloc(cap)
    if out is NULL:
        return E_NOMEM
    status = _rewrite_request(data, &view, out, cap, view.use_candidate)
    if status != FUZZ_BROKEN:
        status = _rewrite_answers(data, &view, out, cap)
    free(out)
    return FUZZ_BROKEN if status == FUZZ_BROKEN else OK


cdef int _rtp(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef RtpView view
    cdef int status = rtp_parse(data, size, &view), payload
    if status < 0:
        return status
    if view.header_size > size or view.ext_off + view.ext_len > view.header_size:
        return FUZZ_BROKEN
    payload = rtp_payload_size(data, size, &view)
    return FUZZ_BROKEN if payload > <int> (size - view.header_size) else payload


cdef int _ext(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef RtpView view
    cdef RtpExt element, same
    cdef u16 pos = 0, before = 0
    cdef int status = rtp_parse(data, size, &view), found = 0
    if status < 0:
        return status
    while rtp_ext_next(data, &view, &pos, &element):
        if element.off < view.ext_off or element.off + element.size > view.ext_off + view.ext_len or pos <= before:
            return FUZZ_BROKEN
        if not rtp_ext_find(data, &view, element.id, &same) or same.off > element.off:
            return FUZZ_BROKEN
        before = pos
        found += 1
    return found if found else -1


cdef int _compare_extensions(const u8* data, const RtpView* view, u8 shift, const u8* out, size_t size) noexcept nogil:
    # The copy holds the same elements in the same order, with shifted ids; those the form cannot hold were left out.
    cdef RtpView copy
    cdef RtpExt theirs, ours
    cdef u16 pos = 0, at = 0
    cdef u8 id
    if rtp_parse(out, size, &copy) < 0 or copy.header_size != size or copy.sequence != view.sequence or copy.ssrc != view.ssrc:
        return FUZZ_BROKEN
    while rtp_ext_next(data, view, &pos, &theirs):
        id = <u8> (1 + (theirs.id + shift) % 15)
        if copy.ext_profile == 0xBEDE and (id > 14 or not 1 <= theirs.size <= 16):
            continue
        if not rtp_ext_next(out, &copy, &at, &ours) or ours.id != id or ours.size != theirs.size:
            return FUZZ_BROKEN
        if memcmp(out + ours.off, data + theirs.off, ours.size) != 0:
            return FUZZ_BROKEN
    return FUZZ_BROKEN if rtp_ext_next(out, &copy, &at, &ours) else OK


cdef int _write_extensions(const u8* data, const RtpView* view, u8 shift, bint two_byte, u8* out, size_t cap) noexcept nogil:
    cdef RtpExtWriter writer
    cdef RtpExt element
    cdef u16 pos = 0
    cdef int status = rtp_write_fixed(out, cap, view.payload_type, view.marker, view.sequence, view.timestamp, view.ssrc, False, True)
    if status >= 0:
        status = rtp_ext_begin(&writer, out, cap, status, two_byte)
    while status >= 0 and rtp_ext_next(data, view, &pos, &element):
        status = rtp_ext_put(&writer, <u8> (1 + (element.id + shift) % 15), data + element.off, element.size)
        if status == E_SPACE:
            return status
        status = OK
    return rtp_ext_end(&writer) if status >= 0 else status


cdef int _ext_rewrite(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef RtpView view
    cdef u8 shift = <u8> fuzz_below(&random, 15)
    cdef bint two_byte = fuzz_below(&random, 2)
    # About what is needed, so that every boundary is met; the one-byte form may need less, the two-byte form more.
    cdef size_t cap
    cdef u8* out
    cdef int status = rtp_parse(data, size, &view)
    if status < 0:
        return status
    cap = 8 + view.ext_len + fuzz_below(&random, 32)
    out = <u8*> malloc(cap)
    if out is NULL:
        return E_NOMEM
    status = _write_extensions(data, &view, shift, two_byte, out, cap)
    if status >= 0:
        status = FUZZ_BROKEN if <size_t> status > cap else _compare_extensions(data, &view, shift, out, status)
    free(out)
    return status


cdef int _demux(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef int kind = demux(data, size)
    if kind < 0 or kind > KIND_RTCP:
        return FUZZ_BROKEN
    return kind if kind != KIND_UNKNOWN else -1


# The frame's payload, mask taken off and put on again, is what it was; a header that we write reads back.
cdef int _websocket(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef WsHead head, again
    cdef u8 written[WS_HEAD_MAX]
    cdef u8* plain
    cdef size_t i, have
    cdef bint same
    cdef int status = ws_head(data, size, &head)
    if status < 0:
        return status
    if head.size > size or head.size > WS_HEAD_MAX or head.first != data[0] or head.masked > 1:
        return FUZZ_BROKEN
    if ws_head(data, head.size - 1, &again) != E_SHORT:
        return FUZZ_BROKEN
    have = ws_write_text_head(written, head.payload)
    if ws_head(written, have, &again) < 0 or again.payload != head.payload or again.size != have or again.first != WS_TEXT_WHOLE:
        return FUZZ_BROKEN
    have = size - head.size
    if not head.masked or head.payload > have:
        return OK
    have = <size_t> head.payload
    plain = <u8*> malloc(have + 1)
    if plain == NULL:
        return E_NOMEM
    ws_mask(plain, data + head.size, have, data + head.size - WS_MASK_SIZE)
    same = True
    for i in range(have):
        same = same and plain[i] == data[head.size + i] ^ data[head.size - WS_MASK_SIZE + (i & 3)]
    ws_mask(plain, plain, have, data + head.size - WS_MASK_SIZE)
    same = same and memcmp(plain, data + head.size, have) == 0
    free(plain)
    return OK if same else FUZZ_BROKEN


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    if target == "stun":
        function = _stun
    elif target == "rtp":
        function = _rtp
    elif target == "ext":
        function = _ext
    elif target == "ext-rewrite":
        function = _ext_rewrite
    elif target == "demux":
        function = _demux
    elif target == "websocket":
        function = _websocket
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    return fuzz_run(function, NULL, target, seed, rounds, corpus)
