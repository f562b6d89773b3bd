"""Python doors to the congestion control layer: one estimator, and flows on an emulated bottleneck in virtual time."""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset
from simplestchat._native.cc.bwe cimport (
    BWE_LEAST_BPS, BWE_MOST_BPS, BWE_NEVER_US, Bwe, bwe_bytes, bwe_feedback, bwe_free, bwe_loss, bwe_new, bwe_probe, bwe_remb,
    bwe_rtt, bwe_send, bwe_tick, bwe_want,
)
from simplestchat._native.cc.overuse cimport USAGE_OVER, USAGE_UNDER
from simplestchat._native.core.types cimport i32, i64, u8, u16, u32, u64, us_t
from simplestchat._native.testing.cc_flow cimport (
    FLOW_BLIND, FLOW_FILLS, FLOW_LAYERS, FLOW_STEPS, FLOW_TCP, Flow, FlowKind, flow_arrives, flow_close, flow_open, flow_step,
)
from simplestchat._native.testing.cc_path cimport Path, PathPacket, path_leave, path_wait
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TWCC_REFERENCE_US, TwccPacket, TwccView

LEAST_BPS = BWE_LEAST_BPS
MOST_BPS = BWE_MOST_BPS
NEVER_US = <us_t> BWE_NEVER_US

cdef enum:
    _STEP_US = 500
    _MAX_FLOWS = 8
    _ROW_US = 50000

_KINDS = {"fills": FLOW_FILLS, "layers": FLOW_LAYERS, "tcp": FLOW_TCP, "blind": FLOW_BLIND}


cdef dict _state(const Bwe* b):
    return {
        "estimate_bps": b.estimate_bps,
        "delay_bps": b.delay_bps,
        "loss_bps": b.loss_bps,
        "arrived_bps": b.arrived_bps,
        "sent_bps": b.sent_bps,
        "rtt_us": b.rtt_us,
        "queue_us": b.queue_us,
        "slope": b.slope,
        "trend_ms": b.trend_ms,
        "threshold_ms": b.threshold_ms,
        "loss": b.loss,
        "usage": "over" if b.usage == USAGE_OVER else "under" if b.usage == USAGE_UNDER else "normal",
        "capacity_bps": b.aimd.capacity_bps,
        "probes": b.probe.count,
        "bytes": bwe_bytes(b),
    }


# Arrivals of the 50 packets up to number `last`, counted from the reference time before the first.
cdef void _tell(Bwe* b, TwccView* view, TwccPacket* told, u64 last) noexcept nogil:
    cdef us_t first_us = <us_t> (last - 49) * 2000, at
    cdef u64 i
    view.reference = <i32> (first_us // TWCC_REFERENCE_US)
    for i in range(50):
        at = first_us + <us_t> i * 2000
        told[i].received = True
        told[i].arrival_us = at + (i % 7) * 250
    bwe_feedback(b, view, told, first_us + 150000)


cdef class Estimator:
    """One Bwe, for tests that say themselves what is sent and heard."""

    cdef Bwe* bwe

    def __cinit__(self, u64 start_bps, us_t now=0):
        self.bwe = bwe_new(start_bps, now)
        if self.bwe == NULL:
            raise MemoryError()

    def __dealloc__(self):
        bwe_free(self.bwe)

    def send(self, u32 size, us_t now, u32 cluster=0):
        return bwe_send(self.bwe, size, now, cluster)

    def feedback(self, u16 base, list arrivals, us_t now):
        """What a feedback about ``base`` and on says: arrivals in microseconds, None for what is not received."""
        cdef TwccPacket packets[TWCC_MAX_PACKETS]
        cdef TwccView view
        cdef u64 i
        memset(packets, 0, sizeof(packets))
        memset(&view, 0, sizeof(view))
        view.base_seq = base
        view.count = <u16> len(arrivals)
        if view.count > TWCC_MAX_PACKETS:
            raise ValueError(len(arrivals))
        first = next((at for at in arrivals if at is not None), 0)
        view.reference = <i32> (((first // TWCC_REFERENCE_US) + 0x800000) % 0x1000000 - 0x800000)
        turn = first // TWCC_REFERENCE_US - view.reference
        for i in range(view.count):
            packets[i].received = arrivals[i] is not None
            packets[i].arrival_us = arrivals[i] - turn * TWCC_REFERENCE_US if arrivals[i] is not None else 0
        bwe_feedback(self.bwe, &view, packets, now)

    def remb(self, u64 bitrate_bps, us_t now):
        bwe_remb(self.bwe, bitrate_bps, now)

    def loss(self, u8 fraction, us_t now):
        bwe_loss(self.bwe, fraction, now)

    def rtt(self, us_t rtt, us_t now):
        bwe_rtt(self.bwe, rtt, now)

    def want(self, u64 next_step_bps, u64 all_bps, us_t now):
        bwe_want(self.bwe, next_step_bps, all_bps, now)

    def tick(self, us_t now):
        return bwe_tick(self.bwe, now)

    def probe(self, us_t now):
        """Cluster and size of a probe packet that is due, or when to ask again."""
        cdef u32 cluster = 0, size = 0
        cdef us_t again = 0
        if bwe_probe(self.bwe, now, &cluster, &size, &again):
            return cluster, size
        return again

    def state(self):
        return _state(self.bwe)

    def time_send(self, u64 first, u32 packets):
        """Sends so many packets, 2 ms apart."""
        cdef u32 i
        with nogil:
            for i in range(packets):
                bwe_send(self.bwe, 1200, <us_t> (first + i) * 2000, 0)

    def time_feedback(self, u64 first, u32 packets):
        """Sends as ``time_send`` does and tells it all in feedbacks of 50."""
        cdef TwccPacket told[50]
        cdef TwccView view
        cdef u64 i
        memset(told, 0, sizeof(told))
        memset(&view, 0, sizeof(view))
        view.count = 50
        with nogil:
            for i in range(first, first + packets):
                view.base_seq = <u16> (bwe_send(self.bwe, 1200, <us_t> i * 2000, 0) - 49)
                if i % 50 == 49:
                    _tell(self.bwe, &view, told, i)


cdef struct _Row:
    us_t at_us
    u64 rate_bps
    us_t queue_us
    u64 estimate_bps
    u64 delay_bps
    u64 loss_bps
    u64 sent
    u64 delivered
    u64 probed
    u64 lost
    i32 step


cdef class Network:
    """Flows on one emulated bottleneck."""

    cdef Path path
    cdef Flow flows[_MAX_FLOWS]
    cdef u32 count
    cdef us_t now
    cdef us_t row_us
    cdef _Row* rows
    cdef u64 row_count
    cdef u64 row_room

    def __cinit__(self, u64 seed, u64 rate_bps, us_t delay_us=25000, us_t queue_us=300000):
        memset(&self.path, 0, sizeof(Path))
        self.path.random = (seed + 1) * 0x9E3779B97F4A7C15U | 1
        self.path.rate_bps = rate_bps
        self.path.delay_us = delay_us
        self.path.queue_us = queue_us

    def __dealloc__(self):
        cdef u32 i
        for i in range(self.count):
            flow_close(&self.flows[i])
        free(self.rows)

    def set(self, *, rate_bps=None, queue_us=None, delay_us=None, jitter_us=None, reorders=None, loss=None, to_bad=None, to_good=None,
            bucket_bps=None, bucket_bytes=None):
        """Change the path from here on."""
        cdef us_t passed
        if rate_bps is not None:
            self.path.rate_bps = rate_bps
            self.path.head_done_us = max(self.path.head_done_us, self.now)
        if queue_us is not None:
            self.path.queue_us = queue_us
        if delay_us is not None:
            self.path.delay_us = delay_us
        if jitter_us is not None:
            self.path.jitter_us = jitter_us
        if reorders is not None:
            self.path.reorders = reorders
        if loss is not None:
            self.path.loss = loss
        if to_bad is not None:
            self.path.to_bad = to_bad
        if to_good is not None:
            self.path.to_good = to_good
        if bucket_bps is not None:
            self.path.bucket_bps = bucket_bps
        if bucket_bytes is not None:
            self.path.bucket_bytes = bucket_bytes
            self.path.tokens = bucket_bytes

    def add(self, str kind, *, u64 start_bps=300000, us_t begins_us=0, u64 rate_bps=0, u64 most_bps=20000000, steps=(), bint voice=False,
            us_t least_gap_us=50000, us_t most_gap_us=100000, double back_loss=0, us_t back_us=-1, double drift=0, us_t offset_us=0):
        """One more flow; its number. ``kind``: fills, layers, tcp, blind."""
        cdef Flow* flow = &self.flows[self.count]
        if self.count == _MAX_FLOWS or len(steps) > FLOW_STEPS:
            raise ValueError("too many")
        memset(flow, 0, sizeof(Flow))
        flow.kind = <FlowKind> <int> _KINDS[kind]
        flow.index = self.count
        flow.rate_bps = rate_bps
        flow.most_bps = most_bps
        flow.voice = voice
        for step in steps:
            flow.steps[flow.step_count] = step
            flow.step_count += 1
        self.count += 1
        if not flow_open(flow, start_bps, max(begins_us, self.now)):
            raise MemoryError()
        if flow.receiver != NULL:
            flow.receiver.least_gap_us = least_gap_us
            flow.receiver.most_gap_us = most_gap_us
            flow.receiver.back_us = back_us if back_us >= 0 else self.path.delay_us
            flow.receiver.back_loss = back_loss
            flow.receiver.drift = drift
            flow.receiver.offset_us = offset_us
        return flow.index

    def change(self, u32 index, *, rate_bps=None, silent=None, back_loss=None, back_us=None):
        """Change a flow from here on."""
        cdef Flow* flow = &self.flows[index]
        if index >= self.count:
            raise IndexError(index)
        if rate_bps is not None:
            flow.rate_bps = rate_bps
        if silent is not None:
            flow.silent = silent
        if flow.receiver != NULL and back_loss is not None:
            flow.receiver.back_loss = back_loss
        if flow.receiver != NULL and back_us is not None:
            flow.receiver.back_us = back_us

    cdef bint _note(self) noexcept nogil:
        cdef _Row* row
        cdef _Row* grown
        cdef Flow* flow
        cdef u32 i
        if self.row_count + self.count > self.row_room:
            self.row_room = 2 * self.row_room + 4096
            grown = <_Row*> realloc(self.rows, self.row_room * sizeof(_Row))
            if grown == NULL:
                return False
            self.rows = grown
        for i in range(self.count):
            flow = &self.flows[i]
            row = &self.rows[self.row_count]
            self.row_count += 1
            memset(row, 0, sizeof(_Row))
            row.at_us = self.now
            row.rate_bps = self.path.rate_bps
            row.queue_us = path_wait(&self.path)
            row.sent = flow.sent
            row.delivered = flow.delivered
            row.probed = flow.probed
            row.lost = flow.lost
            row.step = flow.step
            if flow.bwe != NULL:
                row.estimate_bps = flow.bwe.estimate_bps
                row.delay_bps = flow.bwe.delay_bps
                row.loss_bps = flow.bwe.loss_bps
        return True

    cdef bint _run(self, us_t until) noexcept nogil:
        cdef PathPacket packet
        cdef us_t arrives
        cdef u32 i
        while self.now < until:
            self.now += _STEP_US
            while path_leave(&self.path, self.now, &packet, &arrives):
                flow_arrives(&self.flows[packet.flow], &self.path, packet.number, packet.size, arrives)
            for i in range(self.count):
                flow_step(&self.flows[i], &self.path, self.now)
            if self.now >= self.row_us:
                self.row_us = self.now + _ROW_US
                if not self._note():
                    return False
        return True

    def run(self, us_t until):
        """Let time pass; all rows of this stretch: (time, flow, capacity, queue, estimate, delay and loss bounds, bytes sent,
        delivered and probed so far, packets lost, step)."""
        cdef u64 i
        cdef bint done
        with nogil:
            done = self._run(until)
        if not done:
            raise MemoryError()
        rows = []
        for i in range(self.row_count):
            row = &self.rows[i]
            rows.append((row.at_us, i % self.count, row.rate_bps, row.queue_us, row.estimate_bps, row.delay_bps, row.loss_bps,
                         row.sent, row.delivered, row.probed, row.lost, row.step))
        self.row_count = 0
        return rows

    def state(self, u32 index):
        """What a flow's estimator shows."""
        if index >= self.count or self.flows[index].bwe == NULL:
            raise IndexError(index)
        return _state(self.flows[index].bwe)

    def counters(self):
        """Packets that the queue refused and the path lost."""
        return self.path.dropped, self.path.lost
