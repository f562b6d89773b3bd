"""What one packet leaves with; see outgoing.pxd."""

from libc.string cimport memcpy, memset

from simplestchat._native.cc.bwe cimport bwe_send
from simplestchat._native.cc.pacer cimport pacer_spend
from simplestchat._native.core.bytes cimport put16
from simplestchat._native.core.types cimport OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SealJob, srtp_note, srtp_note_padding, srtp_seal_many
from simplestchat._native.engine.entities cimport (
    CODEC_VP8, EXT_ABS_SEND_TIME, EXT_AUDIO_LEVEL, EXT_DEPENDENCY, EXT_TRANSPORT_CC, EXT_VIDEO_ORIENTATION, Consumer,
    PacketFacts, Ready, ShardState, Stream, Transport,
)
from simplestchat._native.engine.ice cimport ice_may_send
from simplestchat._native.engine.inspect cimport inspect_facts
from simplestchat._native.engine.output cimport OUT_SLOT, out_commit, out_mark_video, out_note, out_prefix, out_reserve, out_reserve_noted
from simplestchat._native.stream.cache cimport CachedPacket, cache_data, cache_find
from simplestchat._native.stream.send cimport send_allocate, send_packet
from simplestchat._native.stream.sent cimport SENT_MARKER, SENT_NUMBERED, SENT_REWRITTEN, SENT_TARGETS, SENT_WAITING, SentPacket, sent_keep
from simplestchat._native.wire.av1dd cimport DD_ACTIVE_GROWTH, DD_MAX_SIZE, DdStructure, DdView, dd_parse, dd_put_frame_number, dd_write_active
from simplestchat._native.wire.facts cimport IDS_REACH, IDS_VP8_AT, IDS_VP9_AT, PictureIds, ids_put
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, RtpExtWriter, rtp_ext_begin, rtp_ext_end, rtp_ext_put, rtp_put_fixed

cdef enum:
    LARGEST_ONE_BYTE_ID = 14
    LARGEST_ONE_BYTE_SIZE = 16
    RESEND_CREDIT_MAX = 256000
    PADDING_MOST = 255             # RTP counts it in a byte
    RTX_SEQUENCE = 2               # bytes of the original's number in front of a retransmission

# A packet to be written: what it is made of, and where it goes.
cdef struct Copy:
    const CachedPacket* packet     # NULL: padding alone
    const PacketFacts* facts       # NULL: audio
    const u8* data
    const DdStructure* dependency  # of its stream
    u64 index
    us_t sent_us
    u32 ssrc
    u32 timestamp
    u32 wide_at                    # where its transport-wide number is, 0: it has none
    u8 payload_type
    u8 padding
    u8 repair
    u8 codec                       # kind


cdef inline void _put24(u8* out, u32 value) noexcept nogil:
    out[0] = <u8>(value >> 16)
    put16(out + 1, <u16>value)


cdef int _write_targets(const Copy* copy, const u8* original, u32 targets, u8* out) noexcept nogil:
    """The descriptor with another mask of active targets: seldom, for few packets say what is active. Its size, or < 0."""
    cdef DdStructure structure = copy.dependency[0]        # reading a descriptor may change it
    cdef DdView view
    if dd_parse(original, copy.facts.dependency_size, &structure, &view) != OK:
        return -1
    return dd_write_active(original, copy.facts.dependency_size, &view, targets, out, DD_MAX_SIZE)


cdef void _put_dependency(RtpExtWriter* w, u8 id, const Copy* copy, const SentPacket* sent) noexcept nogil:
    cdef u8 value[DD_MAX_SIZE + DD_ACTIVE_GROWTH]
    cdef const u8* original = copy.data + copy.facts.dependency_off
    cdef int size = 0
    if sent.flags & SENT_TARGETS:
        size = _write_targets(copy, original, sent.targets, value)
    if size <= 0:
        size = copy.facts.dependency_size
        memcpy(value, original, size)
    if sent.flags & SENT_REWRITTEN:
        dd_put_frame_number(value, size, sent.picture_id)
    rtp_ext_put(w, id, value, <u8>size)


cdef int _write_extensions(const Consumer* c, Copy* copy, const SentPacket* sent, u8 wide, u8 absolute, u8 level, u8 orientation,
                           u8 dependency, u8* out) noexcept nogil:
    cdef u8 value[3]
    cdef RtpExtWriter w
    cdef bint two_byte = (max(wide, absolute, level, orientation, dependency) > LARGEST_ONE_BYTE_ID
                          or (dependency and copy.facts.dependency_size + DD_ACTIVE_GROWTH > LARGEST_ONE_BYTE_SIZE))
    rtp_ext_begin(&w, out, OUT_SLOT, RTP_FIXED_SIZE, two_byte)
    if wide:
        put16(value, sent.wide)
        rtp_ext_put(&w, wide, value, 2)
        copy.wide_at = <u32>w.pos - 2
    if absolute:
        _put24(value, <u32>((<u64>copy.sent_us << 18) // 1000000) & 0xFFFFFF)    # seconds in 6.18 bits
        rtp_ext_put(&w, absolute, value, 3)
    if level:
        rtp_ext_put(&w, level, copy.data + copy.packet.level_off, 1)
    if orientation:
        rtp_ext_put(&w, orientation, copy.data + copy.packet.orientation_off, 1)
    if dependency:
        _put_dependency(&w, dependency, copy, sent)
    return rtp_ext_end(&w)


cdef inline int _write_header(const Consumer* c, Copy* copy, const SentPacket* sent, u8* out) noexcept nogil:
    """The outgoing header at `out`: a function of its arguments alone, so that a resend has the same bytes. Its size."""
    cdef const CachedPacket* packet = copy.packet
    cdef u8 wide = c.ext[EXT_TRANSPORT_CC] if sent.flags & SENT_NUMBERED else 0
    cdef u8 absolute = c.ext[EXT_ABS_SEND_TIME]
    cdef u8 level = c.ext[EXT_AUDIO_LEVEL] if packet != NULL and packet.level_off else 0
    cdef u8 orientation = c.ext[EXT_VIDEO_ORIENTATION] if packet != NULL and packet.orientation_off else 0
    cdef u8 dependency = c.ext[EXT_DEPENDENCY] if copy.facts != NULL and copy.facts.dependency_size else 0
    cdef bint extended = (wide | absolute | level | orientation | dependency) != 0
    rtp_put_fixed(out, copy.payload_type, sent.flags & SENT_MARKER, <u16>copy.index, copy.timestamp, copy.ssrc, copy.padding != 0, extended)
    copy.wide_at = 0
    return _write_extensions(c, copy, sent, wide, absolute, level, orientation, dependency, out) if extended else <int>RTP_FIXED_SIZE


cdef inline u32 _write_prefix(const Copy* copy, const SentPacket* sent, u8* prefix, u32* skipped) noexcept nogil:
    """What stands in place of the payload's first octets: the original's number, and a descriptor with other numbers. Its size."""
    cdef PictureIds ids
    cdef u32 size = 0
    skipped[0] = 0
    if copy.repair:
        put16(prefix, <u16>sent.out_index)
        size = RTX_SEQUENCE
    if sent.flags & SENT_REWRITTEN and copy.facts.dependency_size == 0:
        skipped[0] = min(<u32>IDS_REACH, copy.packet.payload_size)
        memcpy(prefix + size, copy.data + copy.packet.header_size, skipped[0])
        ids = copy.facts.ids
        ids.picture_id = sent.picture_id
        ids.tl0picidx = sent.tl0picidx
        ids.keyidx = sent.keyidx
        if copy.codec == CODEC_VP8:
            ids_put(prefix + size, &ids, IDS_VP8_AT, 0)
        else:
            ids_put(prefix + size, &ids, IDS_VP9_AT, 1)
        size += skipped[0]
    return size


cdef inline int _note(const Consumer* c, Copy* copy, const SentPacket* sent, u8* out, u8* prefix, SealJob* job) noexcept nogil:
    """Notes the packet, written at `out`. The whole length that it will have, or < 0."""
    cdef u32 skipped = 0
    cdef int header_size = _write_header(c, copy, sent, out)
    cdef u32 prefix_size = _write_prefix(copy, sent, prefix, &skipped) if copy.packet != NULL else 0
    cdef const u8* payload = copy.data + copy.packet.header_size + skipped if copy.packet != NULL else NULL
    cdef u32 payload_size = copy.packet.payload_size - skipped if copy.packet != NULL else 0
    cdef int size = srtp_note(job, c.transport.send_srtp, copy.index, out, header_size, prefix if prefix_size else NULL, prefix_size,
                              payload, payload_size, out, OUT_SLOT)
    if copy.padding and size > 0:
        size = srtp_note_padding(job, copy.padding, OUT_SLOT)
    return size


cdef inline void _number(Transport* t, const Copy* copy, SentPacket* sent, u8* out, int size, us_t now, u32 cluster) noexcept nogil:
    """Gives the packet the next transport-wide number, now that its size is known."""
    if copy.wide_at:
        sent.wide = bwe_send(t.bwe, size, now, cluster)
        put16(out + copy.wide_at, sent.wide)


cdef inline void _count(ShardState* s, Consumer* c, int size, us_t now) noexcept nogil:
    cdef Transport* t = c.transport
    t.packets_out += 1
    t.bytes_out += size
    if t.bwe != NULL:
        pacer_spend(&t.pacer, size, now)


cdef void _count_forwarded(ShardState* s, Consumer* c, u32 payload_size, int size) noexcept nogil:
    send_packet(&c.send, payload_size)
    c.resend_credit += size // 2
    if c.resend_credit > RESEND_CREDIT_MAX:
        c.resend_credit = RESEND_CREDIT_MAX
    if not c.video:
        c.transport.audio_bytes += size
    s.counters.forwarded += 1 - c.pipe
    s.counters.piped_out += c.pipe


cdef inline u8 _numbered(const Consumer* c) noexcept nogil:
    return SENT_NUMBERED if c.transport.bwe != NULL else 0


cdef inline bint _is_readable(const Copy* copy, const SentPacket* sent) noexcept nogil:
    """Can its descriptor be written as it was? Its mask is read with a structure, and another one may have come since."""
    return not sent.flags & SENT_TARGETS or (copy.dependency != NULL and copy.dependency.generation == copy.facts.frame.structure)


cdef inline void _original(Consumer* c, Copy* copy, const SentPacket* sent, us_t now) noexcept nogil:
    """The packet as it leaves the first time."""
    copy.index = sent.out_index
    copy.ssrc = c.ssrc
    copy.timestamp = sent.timestamp
    copy.padding = sent.padding
    copy.repair = 0
    copy.sent_us = now


cdef void outgoing_note(ShardState* s, Consumer* c, const Ready* ready, SentPacket* sent, us_t now) noexcept nogil:
    cdef Transport* t = c.transport
    cdef Copy copy
    cdef SealJob* job
    cdef u8* out = out_reserve_noted(&s.out, &job)
    cdef int size
    copy.packet = ready.packet
    copy.facts = ready.facts
    copy.data = ready.data
    copy.dependency = c.producer.streams[ready.stream].dependency
    copy.codec = c.producer.codecs[ready.codec].kind
    copy.payload_type = c.pt_by_codec[ready.codec]
    if not _is_readable(&copy, sent):      # another structure came behind it, in the same batch
        sent.flags &= ~<u8>SENT_TARGETS
    sent.flags |= _numbered(c)
    _original(c, &copy, sent, now)
    size = _note(c, &copy, sent, out, out_prefix(&s.out), job)
    if size < 0:
        return
    _number(t, &copy, sent, out, size, now, 0)
    s.counters.padding_out += sent.padding
    s.sent_bytes += sent_keep(&c.sent, sent)
    _count_forwarded(s, c, ready.packet.payload_size, size)
    if not ice_may_send(t, size):
        s.counters.dropped_consent += 1
        return
    out_note(&s.out, &t.pairs[t.selected].tuple, size, c.video)
    _count(s, c, size, now)


cdef bint _find(Consumer* c, const SentPacket* sent, Copy* copy) noexcept nogil:
    """What the packet is made of, if it is still in the cache."""
    cdef Stream* st = &c.producer.streams[sent.stream]
    copy.packet = cache_find(&st.cache, sent.source_index)
    if copy.packet == NULL:
        return False
    copy.facts = inspect_facts(st, copy.packet)
    copy.data = cache_data(&st.cache, copy.packet)
    copy.dependency = st.dependency
    return True


cdef int _seal(ShardState* s, Consumer* c, Copy* copy, SentPacket* sent, bint numbered, us_t now, u32 cluster) noexcept nogil:
    """Writes, seals and queues the packet. Its size, or 0."""
    cdef Transport* t = c.transport
    cdef u8 prefix[RTX_SEQUENCE + IDS_REACH]
    cdef SealJob job
    cdef u8* out = out_reserve(&s.out)
    cdef int size
    if out == NULL:
        return 0
    size = _note(c, copy, sent, out, prefix, &job)
    if size < 0:
        return 0
    if numbered:
        _number(t, copy, sent, out, size, now, cluster)
    if srtp_seal_many(&job, 1) or not ice_may_send(t, size):
        return 0
    out_commit(&s.out, &t.pairs[t.selected].tuple, size)
    if c.video:
        out_mark_video(&s.out)
    _count(s, c, size, now)
    return size


cdef bint outgoing_late(ShardState* s, Consumer* c, SentPacket* sent, us_t now) noexcept nogil:
    cdef Copy copy
    cdef u8 codec
    cdef int size
    sent.flags &= ~<u8>SENT_WAITING
    if not _find(c, sent, &copy):
        sent.flags = 0
        return False
    codec = c.producer.codec_by_pt[copy.packet.payload_type] - 1
    copy.codec = c.producer.codecs[codec].kind
    copy.payload_type = c.pt_by_codec[codec]
    sent.flags |= _numbered(c)
    if not _is_readable(&copy, sent):
        sent.flags &= ~<u8>SENT_TARGETS    # all that is active is said, which is more than it gets
    _original(c, &copy, sent, now)
    size = _seal(s, c, &copy, sent, True, now, 0)
    sent.sent_us = <u32>now
    if size == 0:
        return False
    _count_forwarded(s, c, copy.packet.payload_size, size)
    return True


cdef u32 outgoing_again(ShardState* s, Consumer* c, const SentPacket* sent, us_t now, u32 cluster) noexcept nogil:
    cdef SentPacket again = sent[0]
    cdef Copy copy
    cdef u8 codec
    cdef int size
    if not _find(c, sent, &copy):
        return 0
    codec = c.producer.codec_by_pt[copy.packet.payload_type] - 1
    copy.codec = c.producer.codecs[codec].kind
    if c.rtx_ssrc and c.rtx_pt_by_codec[codec] >= 0:
        again.flags |= _numbered(c)
        _original(c, &copy, sent, now)
        copy.index = send_allocate(&c.rtx)
        copy.ssrc = c.rtx_ssrc
        copy.payload_type = <u8>c.rtx_pt_by_codec[codec]
        copy.padding = 0
        copy.repair = 1
        size = _seal(s, c, &copy, &again, True, now, cluster)
        send_packet(&c.rtx, copy.packet.payload_size + RTX_SEQUENCE)
    elif cluster or not _is_readable(&copy, sent):
        return 0                           # other bytes under the same index would use a nonce twice
    else:
        _original(c, &copy, sent, now - <us_t><u32>(<u32>now - sent.sent_us))
        copy.payload_type = c.pt_by_codec[codec]
        size = _seal(s, c, &copy, &again, False, now, 0)
    if cluster == 0:
        c.transport.repair_bytes += size
    return size


cdef u32 outgoing_padding(ShardState* s, Consumer* c, u32 size, us_t now, u32 cluster) noexcept nogil:
    cdef SentPacket nothing
    cdef Copy copy
    cdef int i
    cdef int payload_type = -1
    for i in range(c.producer.codec_count):
        payload_type = max(payload_type, <int>c.rtx_pt_by_codec[i] if c.pt_by_codec[i] != 255 else -1)
    if not c.rtx_ssrc or payload_type < 0:
        return 0
    memset(&nothing, 0, sizeof(nothing))
    nothing.flags = _numbered(c)
    memset(&copy, 0, sizeof(copy))
    copy.index = send_allocate(&c.rtx)
    copy.ssrc = c.rtx_ssrc
    copy.timestamp = c.ts.last_out
    copy.sent_us = now
    copy.payload_type = <u8>payload_type
    copy.padding = <u8>min(max(size, <u32>1), <u32>PADDING_MOST)
    return _seal(s, c, &copy, &nothing, True, now, cluster)
