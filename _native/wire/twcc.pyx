"""Transport-wide feedback; the contract is in ``twcc.pxd``."""

from simplestchat._native.core.bytes cimport (
    Reader, Writer, add8, add16, add24, add32, add_zeros, put16, reader, reader_left, take8, take16, take24,
    writer, written,
)
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_SHORT, E_UNSUPPORTED, OK, i32, u8, u16, u32, us_t
from simplestchat._native.wire.rtcp cimport RTCP_RTPFB, RTPFB_TWCC, RtcpView

cdef enum:
    _LOST = 0                    # status symbols: the number of delta bytes, too
    _SMALL = 1
    _LARGE = 2
    _FEEDBACK = 12               # header and two SSRCs
    _RUN_MAX = 0x1FFF
    _VECTOR = 0x8000
    _TWO_BIT = 0x4000
    _ONE_BIT_SYMBOLS = 14
    _TWO_BIT_SYMBOLS = 7


# The symbols of one chunk into packets[at:count], as `received`; how many were taken, or < 0.
cdef int _read_chunk(u16 chunk, TwccPacket* packets, int at, int count) noexcept nogil:
    cdef int length, i, symbol, run = -1
    if not chunk & _VECTOR:
        run = (chunk >> 13) & 3
        length = chunk & _RUN_MAX
    elif chunk & _TWO_BIT:
        length = _TWO_BIT_SYMBOLS
    else:
        length = _ONE_BIT_SYMBOLS
    if length > count - at:
        length = count - at          # the last chunk may tell about more than there is
    for i in range(length):
        if run >= 0:
            symbol = run
        elif chunk & _TWO_BIT:
            symbol = (chunk >> (12 - 2 * i)) & 3
        else:
            symbol = (chunk >> (13 - i)) & 1
        if symbol > _LARGE:          # 0b11 is reserved
            return E_MALFORMED
        packets[at + i].received = <u8> symbol
    return length


cdef int _read_deltas(Reader* r, TwccPacket* packets, int count, us_t now) noexcept nogil:
    cdef int i
    cdef i32 ticks
    for i in range(count):
        if packets[i].received == _LOST:
            continue
        if packets[i].received == _SMALL:
            ticks = take8(r)
        else:
            ticks = take16(r)
            ticks -= 0x10000 if ticks & 0x8000 else 0
        now += <us_t> ticks * TWCC_TICK_US
        packets[i].arrival_us = now
        packets[i].received = 1
    return E_SHORT if r.failed else OK


cdef int twcc_read(const u8* data, const RtcpView* view, TwccView* out, TwccPacket* packets, size_t cap) noexcept nogil:
    cdef Reader r = reader(data + view.off + _FEEDBACK, view.size - _FEEDBACK if view.size > _FEEDBACK else 0)
    cdef int at = 0, taken
    cdef u32 reference
    if view.type != RTCP_RTPFB or view.count != RTPFB_TWCC:
        return E_UNSUPPORTED
    out.base_seq = take16(&r)
    out.count = take16(&r)
    reference = take24(&r)
    out.feedback_count = take8(&r)
    if r.failed:
        return E_SHORT
    if out.count == 0:
        return E_MALFORMED
    if out.count > TWCC_MAX_PACKETS:
        return E_UNSUPPORTED
    if out.count > cap:
        return E_LIMIT
    out.reference = <i32> reference - (0x1000000 if reference & 0x800000 else 0)
    while at < out.count:
        if reader_left(&r) < 2:
            return E_SHORT
        taken = _read_chunk(take16(&r), packets, at, out.count)
        if taken < 0:
            return taken
        at += taken
    return _read_deltas(&r, packets, out.count, <us_t> out.reference * TWCC_REFERENCE_US)


cdef inline us_t _floor_div(us_t value, us_t by) noexcept nogil:
    return value // by - (1 if value % by < 0 else 0)     # C division: rounds towards zero


# Arrival in ticks, to the nearest.
cdef inline us_t _ticks(const TwccPacket* packet) noexcept nogil:
    return _floor_div(packet.arrival_us + TWCC_TICK_US // 2, TWCC_TICK_US)


# The symbol of a packet when the one received before it arrived at *last ticks, which moves on; < 0 when they are too far apart.
cdef inline int _symbol(const TwccPacket* packet, us_t* last) noexcept nogil:
    cdef us_t delta
    if not packet.received:
        return _LOST
    delta = _ticks(packet) - last[0]
    last[0] += delta
    if 0 <= delta <= 0xFF:
        return _SMALL
    return _LARGE if -0x8000 <= delta <= 0x7FFF else E_LIMIT


# Writes one chunk that begins at packet `at`; how many packets it tells about, or < 0. *last moves on past them.
cdef int _write_chunk(Writer* w, const TwccPacket* packets, int at, int count, us_t* last) noexcept nogil:
    cdef int run = 0, vector = 0, first = -1, symbol, wide = 0, limit
    cdef u16 bits = 0
    cdef u16 pairs = 0
    cdef us_t here = last[0], behind_pairs = last[0], behind_bits = last[0]
    # A run as long as the packets are alike; meanwhile both kinds of vector over the first 7 and 14.
    limit = count - at if count - at < _RUN_MAX else _RUN_MAX
    while run + vector < limit:
        symbol = _symbol(&packets[at + run + vector], &here)
        if symbol < 0:
            return symbol
        if first < 0:
            first = symbol
        if vector == 0 and symbol == first:
            run += 1
            last[0] = here
        else:
            vector += 1
        if run + vector <= _TWO_BIT_SYMBOLS:
            pairs |= <u16> (symbol << (14 - 2 * (run + vector)))
            behind_pairs = here
        if run + vector <= _ONE_BIT_SYMBOLS:
            bits |= <u16> ((symbol & 1) << (14 - (run + vector)))
            behind_bits = here
            wide |= symbol & _LARGE
        if vector and run + vector >= _ONE_BIT_SYMBOLS:
            break
    if run >= _ONE_BIT_SYMBOLS or vector == 0 or (run >= _TWO_BIT_SYMBOLS and wide):
        add16(w, <u16> ((first << 13) | run))
        return run
    if wide:
        add16(w, _VECTOR | _TWO_BIT | pairs)
        last[0] = behind_pairs
        return run + vector if run + vector < _TWO_BIT_SYMBOLS else _TWO_BIT_SYMBOLS
    add16(w, _VECTOR | bits)
    last[0] = behind_bits
    return run + vector if run + vector < _ONE_BIT_SYMBOLS else _ONE_BIT_SYMBOLS


cdef void _write_deltas(Writer* w, const TwccPacket* packets, int count, us_t last) noexcept nogil:
    cdef int i, symbol
    cdef us_t before
    for i in range(count):
        before = last
        symbol = _symbol(&packets[i], &last)
        if symbol == _SMALL:
            add8(w, <u8> (last - before))
        elif symbol == _LARGE:
            add16(w, <u16> ((last - before) & 0xFFFF))


cdef int twcc_write(u8* out, size_t cap, u32 sender, u32 media, u8 feedback_count, u16 base_seq,
                    const TwccPacket* packets, size_t count) noexcept nogil:
    cdef Writer w = writer(out, cap)
    cdef int first = 0, at = 0, taken
    cdef us_t reference, last
    if not 1 <= count <= TWCC_MAX_PACKETS:
        return E_LIMIT
    while first < <int> count and not packets[first].received:
        first += 1
    if first == <int> count:
        return E_LIMIT
    reference = _floor_div(packets[first].arrival_us, TWCC_REFERENCE_US)
    add8(&w, 0x80 | RTPFB_TWCC)
    add8(&w, RTCP_RTPFB)
    add16(&w, 0)                     # the length, corrected below
    add32(&w, sender)
    add32(&w, media)
    add16(&w, base_seq)
    add16(&w, <u16> count)
    add24(&w, <u32> (reference & 0xFFFFFF))
    add8(&w, feedback_count)
    last = reference * (TWCC_REFERENCE_US // TWCC_TICK_US)
    while at < <int> count:
        taken = _write_chunk(&w, packets, at, <int> count, &last)
        if taken < 0:
            return taken
        at += taken
    _write_deltas(&w, packets, <int> count, reference * (TWCC_REFERENCE_US // TWCC_TICK_US))
    add_zeros(&w, -w.pos & 3)
    if not w.failed:
        put16(out + 2, <u16> (w.pos // 4 - 1))
    return written(&w)
