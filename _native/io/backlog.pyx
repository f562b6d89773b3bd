"""Packets that wait for a full socket; see backlog.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove, memset

from simplestchat._native.core.bytes cimport get32
from simplestchat._native.core.types cimport u32, u64, u8
from simplestchat._native.engine.entities cimport Counters, OutPacket
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE

cdef enum:
    TIMESTAMP_AT = 4               # SRTP leaves the header readable
    SSRC_AT = 8


cdef void backlog_init(Backlog* b) noexcept nogil:
    memset(b, 0, sizeof(Backlog))


cdef bint _allocate(Backlog* b) noexcept nogil:
    """The room is taken when a socket is full for the first time: most never are."""
    if b.arena == NULL:
        b.arena = <u8*>malloc(BACKLOG_BYTES)
    if b.packets == NULL:
        b.packets = <OutPacket*>malloc(BACKLOG_PACKETS * sizeof(OutPacket))
    return b.arena != NULL and b.packets != NULL


cdef void backlog_free(Backlog* b) noexcept nogil:
    free(b.arena)
    free(b.packets)
    memset(b, 0, sizeof(Backlog))


cdef bint _frame_of(const OutPacket* packet, const u8* data, Frame* out) noexcept nogil:
    cdef u32 end
    if not packet.video or packet.size < RTP_FIXED_SIZE:
        return False
    memcpy(&end, packet.to.remote_ip + 12, 4)
    out.ssrc = get32(data + SSRC_AT)
    out.timestamp = get32(data + TIMESTAMP_AT)
    out.to = <u64>end << 16 | packet.to.remote_port
    return True


cdef inline bint _same(const Frame* a, const Frame* b) noexcept nogil:
    return a.ssrc == b.ssrc and a.timestamp == b.timestamp and a.to == b.to


cdef inline u32 _place(const Frame* frame) noexcept nogil:
    cdef u64 mixed = ((<u64>frame.ssrc << 32 | frame.timestamp) ^ frame.to) * 0x9E3779B97F4A7C15ULL
    return <u32>(mixed >> 32) & (BACKLOG_FRAMES - 1)


cdef bint _is_left_out(const Backlog* b, const Frame* frame) noexcept nogil:
    return _same(&b.frames[_place(frame)], frame)


cdef void _leave_out(Backlog* b, u32 at, Counters* counters) noexcept nogil:
    b.held -= b.packets[at].size
    b.waiting -= 1
    b.packets[at].size = 0
    counters.dropped_send += 1


cdef void _remember(Backlog* b, const Frame* frame, Counters* counters) noexcept nogil:
    b.frames[_place(frame)] = frame[0]
    counters.frames_dropped += 1


cdef bint _drop_frame(Backlog* b, Counters* counters) noexcept nogil:
    """Leaves out the oldest frame of video. Is there one?"""
    cdef Frame frame
    cdef Frame other
    cdef u32 at = b.first
    while at < b.count and (b.packets[at].size == 0 or not _frame_of(&b.packets[at], b.arena + b.packets[at].off, &frame)):
        at += 1
    if at == b.count:
        return False
    _remember(b, &frame, counters)
    for at in range(at, b.count):
        if b.packets[at].size and _frame_of(&b.packets[at], b.arena + b.packets[at].off, &other) and _same(&frame, &other):
            _leave_out(b, at, counters)
    return True


cdef void _drop_oldest(Backlog* b, Counters* counters) noexcept nogil:
    cdef u32 at = b.first
    while at < b.count and b.packets[at].size == 0:
        at += 1
    if at < b.count:
        _leave_out(b, at, counters)


cdef void _compact(Backlog* b) noexcept nogil:
    """Moves what waits to the front. Costs a copy of it, after as much went in."""
    cdef u32 at
    cdef u32 kept = 0
    cdef u32 used = 0
    for at in range(b.first, b.count):
        if b.packets[at].size == 0:
            continue
        memmove(b.arena + used, b.arena + b.packets[at].off, b.packets[at].size)
        b.packets[kept] = b.packets[at]
        b.packets[kept].off = used
        used += b.packets[kept].size
        kept += 1
    b.first = 0
    b.count = kept
    b.used = used


cdef bint _make_room(Backlog* b, bint video, u32 size, Counters* counters) noexcept nogil:
    """Room for one more packet, half of everything if any is to be made, so that it is not made for each one."""
    if b.count < BACKLOG_PACKETS and b.used + size <= BACKLOG_BYTES:
        return True
    while b.held > BACKLOG_BYTES // 2 or b.waiting > BACKLOG_PACKETS // 2:
        if _drop_frame(b, counters):
            continue
        if video:
            return False
        _drop_oldest(b, counters)
    _compact(b)
    return True



cdef void backlog_push(Backlog* b, const OutPacket* packet, const u8* data, Counters* counters) noexcept nogil:
    cdef Frame frame
    cdef bint video = _frame_of(packet, data, &frame)
    cdef bint room = packet.size <= BACKLOG_BYTES // 2 and _allocate(b) and _make_room(b, video, packet.size, counters)
    if video and _is_left_out(b, &frame):
        counters.dropped_send += 1
        return
    if not room:
        counters.dropped_send += 1
        if video:
            _remember(b, &frame, counters)
        return
    b.packets[b.count] = packet[0]
    b.packets[b.count].off = b.used
    memcpy(b.arena + b.used, data, packet.size)
    b.used += packet.size
    b.held += packet.size
    b.count += 1
    b.waiting += 1


cdef void backlog_sent(Backlog* b, u32 first) noexcept nogil:
    cdef u32 at
    for at in range(b.first, first):
        b.held -= b.packets[at].size
        b.waiting -= b.packets[at].size > 0
    b.first = first
    if b.waiting == 0:
        b.first = b.count = b.used = 0
