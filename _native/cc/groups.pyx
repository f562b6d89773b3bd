"""Packets that left together; see groups.pxd for the contract."""

from simplestchat._native.core.types cimport us_t


cdef inline bint _belongs(const Group* g, us_t sent, us_t arrival) noexcept nogil:
    cdef us_t later
    if sent - g.first_sent_us <= GROUP_SPAN_US:
        return True
    later = arrival - g.last_arrival_us
    return later <= GROUP_BURST_US and later < sent - g.last_sent_us and arrival - g.first_arrival_us < GROUP_MAX_US


cdef bint groups_packet(Groups* g, us_t sent, us_t arrival, us_t* sent_us, us_t* arrival_us) noexcept nogil:
    cdef bint complete = False
    if not g.has_now:
        g.has_now = True
    elif sent < g.now.first_sent_us:
        return False             # came late: its group is over
    elif _belongs(&g.now, sent, arrival):
        g.now.last_sent_us = max(g.now.last_sent_us, sent)
        g.now.last_arrival_us = max(g.now.last_arrival_us, arrival)
        return False
    else:
        if g.has_before:
            sent_us[0] = g.now.last_sent_us - g.before.last_sent_us
            arrival_us[0] = g.now.last_arrival_us - g.before.last_arrival_us
            complete = -GROUP_GAP_US < arrival_us[0] - sent_us[0] < GROUP_GAP_US
        g.before = g.now
        g.has_before = True
    g.now.first_sent_us = g.now.last_sent_us = sent
    g.now.first_arrival_us = g.now.last_arrival_us = arrival
    return complete
