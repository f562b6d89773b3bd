"""The far end of an emulated flow; see cc_receiver.pxd for the contract."""

from simplestchat._native.cc.bwe cimport Bwe, bwe_feedback
from simplestchat._native.core.types cimport u16, u32, u64, us_t
from simplestchat._native.testing.cc_path cimport Path, path_uniform
from simplestchat._native.wire.rtcp cimport RtcpView, rtcp_next
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TwccPacket, TwccView, twcc_read, twcc_write


cdef void receiver_sent(Receiver* r, u64 number) noexcept nogil:
    r.arrivals[number % RECEIVER_WINDOW] = 0
    r.highest = number + 1


cdef void receiver_arrives(Receiver* r, u64 number, us_t at) noexcept nogil:
    r.arrivals[number % RECEIVER_WINDOW] = at


cdef void _write(Receiver* r, Path* path, us_t now) noexcept nogil:
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    cdef u64 first = r.told, end = r.told, number
    cdef us_t at
    cdef OnTheWay* message
    cdef int size
    # What came late begins the feedback anew, as browsers do it.
    number = r.told - RECEIVER_LATE if r.told > RECEIVER_LATE else 0
    while number < r.highest:
        at = r.arrivals[number % RECEIVER_WINDOW]
        if 0 < at <= now:
            first = min(first, number)
            end = number + 1
        number += 1
    if end <= first or r.waiting == RECEIVER_LINE:
        return
    end = min(end, first + TWCC_MAX_PACKETS)
    for number in range(first, end):
        at = r.arrivals[number % RECEIVER_WINDOW]
        packets[number - first].received = at != 0 and at <= now
        if 0 < at <= now:
            packets[number - first].arrival_us = r.offset_us + at + <us_t> (at * r.drift)
            r.arrivals[number % RECEIVER_WINDOW] = -1
        elif at < 0:
            packets[number - first].received = False     # told before
    r.told = max(r.told, end)
    message = &r.line[(r.first + r.waiting) % RECEIVER_LINE]
    size = twcc_write(message.data, RECEIVER_BYTES, 1, 2, r.count, <u16> first, packets, end - first)
    r.count += 1
    if size < 0 or path.rate_bps == 0 or path_uniform(path) < r.back_loss:
        return
    message.size = <u32> size
    message.due_us = now + r.back_us
    r.waiting += 1
    r.written += 1


cdef void _read(OnTheWay* message, Bwe* b, us_t now) noexcept nogil:
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    cdef TwccView feedback
    cdef RtcpView view
    cdef size_t pos = 0
    if rtcp_next(message.data, message.size, &pos, &view) == 1 and twcc_read(message.data, &view, &feedback, packets, TWCC_MAX_PACKETS) == 0:
        bwe_feedback(b, &feedback, packets, now)


cdef void receiver_step(Receiver* r, Path* path, Bwe* b, us_t now) noexcept nogil:
    if now >= r.next_us:
        r.next_us = now + r.least_gap_us + <us_t> (path_uniform(path) * (r.most_gap_us - r.least_gap_us))
        _write(r, path, now)
    while r.waiting and r.line[r.first].due_us <= now:
        _read(&r.line[r.first], b, now)
        r.first = (r.first + 1) % RECEIVER_LINE
        r.waiting -= 1
