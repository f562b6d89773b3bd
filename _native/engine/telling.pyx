"""What is read of estimates and decisions; see telling.pxd."""

from simplestchat._native.cc.allocator cimport ALLOC_LOG_ROWS, AllocRow, alloc_reason, allocator_rows
from simplestchat._native.cc.overuse cimport USAGE_OVER, USAGE_UNDER
from simplestchat._native.core.types cimport u32
from simplestchat._native.engine.entities cimport Transport


cdef str _word(const Transport* t):
    if not t.bwe.heard:
        return "fallback"
    return "over" if t.bwe.usage == USAGE_OVER else "under" if t.bwe.usage == USAGE_UNDER else "normal"


cdef dict estimation_told(const Transport* t):
    if t.bwe == NULL:
        return {"sent_bitrate_bps": 0, "loss": 0.0, "queue_us": 0, "waiting_packets": 0, "bwe": "none"}
    return {
        "sent_bitrate_bps": t.bwe.sent_bps, "loss": t.bwe.loss, "queue_us": t.bwe.queue_us, "waiting_packets": t.waiting.count,
        "delay_bound_bps": t.bwe.delay_bps, "loss_bound_bps": t.bwe.loss_bps, "arrived_bps": t.bwe.arrived_bps,
        "wanted_bps": t.bwe.all_bps, "bwe": _word(t),
    }


cdef list decisions(const Transport* t):
    cdef AllocRow rows[ALLOC_LOG_ROWS]
    cdef u32 count = allocator_rows(&t.allocator, rows)
    cdef u32 i
    return [
        (rows[i].at_us, rows[i].id, rows[i].from_spatial, rows[i].from_temporal, rows[i].to_spatial, rows[i].to_temporal,
         (<bytes>alloc_reason(rows[i].reason)).decode(), rows[i].estimate_bps)
        for i in range(count)
    ]
