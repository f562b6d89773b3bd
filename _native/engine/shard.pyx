"""The engine of one worker, with the control methods that the node calls; see shard.pxd."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from simplestchat._native.core.table cimport tupletable_free, tupletable_init, table64_free, table64_init
from simplestchat._native.core.types cimport OK, Tuple, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls_context cimport dtls_context_free, dtls_context_new
from simplestchat._native.crypto.random cimport csprng_bytes, csprng_free, csprng_init
from simplestchat._native.cc.allocator cimport alloc_reason
from simplestchat._native.engine.addresses cimport tuple_from_address, tuple_to_address
from simplestchat._native.engine.allocation cimport allocation_want
from simplestchat._native.engine.census cimport census
from simplestchat._native.engine.consumer cimport consumer_free, consumer_restart
from simplestchat._native.engine.entities cimport (
    BATCH, EVENT_BANDWIDTH, EVENT_CONSUMER_LAYERS, EVENT_LEVEL, EVENT_LEVELS_END, EVENT_PRODUCER_LAYERS, EVENT_SPEAKER,
    EVENT_TRANSPORT_STATE, EXT_TRANSPORT_CC, MAX_DATAGRAM, MAX_EVENTS, MAX_SPATIAL, MAX_TEMPORAL, MAX_TRANSPORTS, NEVER_US, PASSWORD_SIZE, TRANSPORT_CONNECTED, TRANSPORT_DISCONNECTED, TRANSPORT_FAILED, UFRAG_SIZE, Consumer, Datagram, Event,
    OutPacket, Producer, Transport,
)
from simplestchat._native.engine.estimation cimport estimation_begin
from simplestchat._native.engine.events cimport event_put
from simplestchat._native.engine.fanout cimport fanout_flush
from simplestchat._native.engine.fingerprints cimport Digest, fingerprint_read, fingerprints_of
from simplestchat._native.engine.ice cimport ice_new_credentials
from simplestchat._native.engine.output cimport out_clear, out_free, out_has_headroom, out_init
from simplestchat._native.engine.parameters cimport make_consumer, make_producer
from simplestchat._native.engine.pipe cimport make_pipe, make_pipe_consumers
from simplestchat._native.engine.producer cimport LEVEL_SILENT, producer_free, producer_want_keyframe
from simplestchat._native.engine.sources cimport sources_retire
from simplestchat._native.engine.telling cimport decisions, estimation_told
from simplestchat._native.engine.timers cimport timers_first, timers_free, timers_hasten
from simplestchat._native.engine.transport cimport (
    PEER_AUTO, PEER_CLIENT, PEER_SERVER, transport_connect, transport_free, transport_handshakes, transport_new,
    transport_receive, transport_tick,
)
from simplestchat._native.engine.voices cimport voices_free, voices_join, voices_limit, voices_tick

from simplestchat._native.core.errors import LIMIT, InternalError, MisuseError, raise_status

cdef enum:
    LEVELS_US = 500000             # between audio level reports
    SEED_SIZE = 32
    MAX_VIEW = 16384               # pixels of a side

cdef dict _ROLES = {"auto": PEER_AUTO, "client": PEER_CLIENT, "server": PEER_SERVER}
cdef dict _STATES = {
    TRANSPORT_CONNECTED: "connected", TRANSPORT_DISCONNECTED: "disconnected", TRANSPORT_FAILED: "failed",
}


cdef class Shard:
    """All transports, producers and consumers of one worker.

    Ids are chosen by the caller, greater than 0 and never used twice. Every method raises MisuseError for an unknown id or
    an argument that does not fit, and InternalError when memory or a library fails.
    """

    def __cinit__(self, seed):
        cdef bytes seed_bytes = int(seed).to_bytes(SEED_SIZE, "big")
        cdef u64 keys[2]
        self.transports, self.producers, self.consumers, self.drained = {}, {}, {}, []
        memset(&self.s, 0, sizeof(self.s))
        self.s.levels_us = LEVELS_US
        self.s.groups_us = NEVER_US
        self.s.dtls = dtls_context_new()
        self.s.events = <Event*>calloc(MAX_EVENTS, sizeof(Event))
        if self.s.dtls == NULL or self.s.events == NULL or csprng_init(&self.s.random, seed_bytes) != OK:
            raise InternalError("no certificate or random generator could be made")
        csprng_bytes(&self.s.random, <u8*>keys, sizeof(keys))
        if (out_init(&self.s.out) != OK or table64_init(&self.s.by_ufrag, 2 * MAX_TRANSPORTS, keys[0]) != OK
                or tupletable_init(&self.s.by_tuple, 2 * MAX_TRANSPORTS, keys[1]) != OK):
            raise InternalError("no memory for the shard's tables")

    def __dealloc__(self):
        for address in (self.transports or {}).values():
            transport_free(&self.s, <Transport*><size_t>address)
        timers_free(&self.s.timers)
        out_free(&self.s.out)
        table64_free(&self.s.by_ufrag)
        tupletable_free(&self.s.by_tuple)
        csprng_free(&self.s.random)
        if self.s.dtls != NULL:
            dtls_context_free(self.s.dtls)
        free(self.s.events)
        free(self.s.producers)
        free(self.s.wants)
        voices_free(&self.s)

    # The turn, without the GIL.

    cdef int receive(self, const Datagram* batch, int count, us_t now) noexcept nogil:
        cdef int i
        for i in range(count):
            if not out_has_headroom(&self.s.out):
                return i
            self.s.arrived_us = batch[i].arrived_us
            if batch[i].size <= MAX_DATAGRAM:
                transport_receive(&self.s, batch[i].data, batch[i].size, &batch[i].tuple, now)
            else:
                self.s.counters.dropped_malformed += 1
        return count

    cdef bint flush(self, us_t now) noexcept nogil:
        return fanout_flush(&self.s, now)

    cdef bint handshakes(self, us_t now) noexcept nogil:
        return transport_handshakes(&self.s, now)

    cdef bint run_timers(self, us_t now) noexcept nogil:
        cdef Transport* t = timers_first(&self.s.timers)
        cdef u32 i
        cdef Producer* p
        while t != NULL and t.deadline_us <= now:
            if not out_has_headroom(&self.s.out):
                return True
            transport_tick(&self.s, t, now)
            t = timers_first(&self.s.timers)
        voices_tick(&self.s, now)
        if now >= self.s.levels_us:
            self.s.levels_us = now + LEVELS_US
            for i in range(self.s.producer_count):
                p = self.s.producers[i]
                if p.level < LEVEL_SILENT and not p.paused and not p.piped:
                    event_put(&self.s, EVENT_LEVEL, p.level, p.id, 0)
                p.level = LEVEL_SILENT
            event_put(&self.s, EVENT_LEVELS_END, 0, 0, 0)
        return False

    cdef us_t deadline(self) noexcept nogil:
        cdef Transport* t = timers_first(&self.s.timers)
        cdef us_t first = t.deadline_us if t != NULL else NEVER_US
        first = min(first, self.s.groups_us)
        return min(first, self.s.levels_us) if self.s.producer_count else first

    cdef bint has_events(self) noexcept nogil:
        return self.s.event_count > 0

    # Look-ups.

    cdef Transport* _transport(self, int id) except NULL:
        address = self.transports.get(id)
        if address is None:
            raise MisuseError(f"there is no transport {id}")
        return <Transport*><size_t>address

    cdef Producer* _producer(self, int id) except NULL:
        address = self.producers.get(id)
        if address is None:
            raise MisuseError(f"there is no producer {id}")
        return <Producer*><size_t>address

    cdef Consumer* _consumer(self, int id) except NULL:
        address = self.consumers.get(id)
        if address is None:
            raise MisuseError(f"there is no consumer {id}")
        return <Consumer*><size_t>address

    # Transports.

    def fingerprints(self):
        """(algorithm, digest) of this worker's certificate, for every algorithm we speak."""
        return fingerprints_of(self.s.dtls)

    def create_transport(self, int id):
        """A new transport; its ICE user name fragment and password."""
        if id <= 0 or id in self.transports:
            raise MisuseError(f"transport id {id} is not free")
        cdef Transport* t = transport_new(&self.s, id, self.now)
        if t == NULL:
            raise MisuseError(f"this worker has {len(self.transports)} transports and takes no more", LIMIT)
        self.transports[id] = <size_t>t
        return t.ice[0].ufrag[:UFRAG_SIZE].decode(), t.ice[0].password[:PASSWORD_SIZE].decode()

    def connect_transport(self, int id, str role, list fingerprints):
        """The peer's DTLS role ("auto", "client" or "server") and its certificate's fingerprints; the strongest known one is checked."""
        cdef Transport* t = self._transport(id)
        cdef Digest digest
        if role not in _ROLES:
            raise MisuseError(f"DTLS role {role!r} is not one of {', '.join(_ROLES)}")
        fingerprint_read(&digest, fingerprints)
        status = transport_connect(&self.s, t, _ROLES[role], digest.hash, digest.bytes, digest.size, self.now)
        if status != OK:
            raise_status(status, f"connecting transport {id}")

    def restart_ice(self, int id):
        """New credentials; the old ones work until the first check with these."""
        cdef Transport* t = self._transport(id)
        if t.pipe:
            raise MisuseError(f"transport {id} is a pipe")
        status = ice_new_credentials(&self.s, t)
        if status != OK:
            raise_status(status, f"restarting ICE of transport {id}")
        return t.ice[0].ufrag[:UFRAG_SIZE].decode(), t.ice[0].password[:PASSWORD_SIZE].decode()

    def create_pipe(self, int id, tuple remote, tuple local, bytes send_key, bytes recv_key):
        """A path to another worker, connected at once; addresses are (ip, port). It is closed like any transport."""
        if id <= 0 or id in self.transports:
            raise MisuseError(f"transport id {id} is not free")
        self.transports[id] = <size_t>make_pipe(&self.s, id, (*remote, *local), send_key, recv_key, self.now)

    def pipe_producer(self, int transport, int producer, list rows):
        """Sends a producer to another worker: a consumer for each encoding, (id, SSRC, RTX SSRC or 0), in their order."""
        for id, _, _ in rows:
            if id <= 0 or id in self.consumers:
                raise MisuseError(f"consumer id {id} is not free")
        made = make_pipe_consumers(&self.s, self._transport(transport), self._producer(producer), rows)
        self.consumers.update(zip([row[0] for row in rows], made, strict=True))

    def close_transport(self, int id):
        """Closes its producers and consumers too."""
        cdef Transport* t = self._transport(id)
        cdef u32 i
        for i in range(t.producer_count):
            self._forget_producer(t.producers[i])
        for i in range(t.consumer_count):
            self.consumers.pop(t.consumers[i].id, None)
        del self.transports[id]
        transport_free(&self.s, t)

    def transport_stats(self, int id):
        """Counters of one transport; round_trip_us is the worst that its streams' reports and repairs told, 0 until known."""
        cdef Transport* t = self._transport(id)
        cdef us_t rtt = 0
        cdef u32 i
        cdef int k
        for i in range(t.consumer_count):
            rtt = max(rtt, t.consumers[i].send.rtt_us)
        for i in range(t.producer_count):
            for k in range(t.producers[i].stream_count):
                rtt = max(rtt, t.producers[i].streams[k].nack.rtt_us)
        return {
            "state": _STATES.get(t.state, "new"), "packets_in": t.packets_in, "packets_out": t.packets_out,
            "bytes_in": t.bytes_in, "bytes_out": t.bytes_out, "dropped_in": t.dropped_in,
            "producers": t.producer_count, "consumers": t.consumer_count, "round_trip_us": rtt,
            "available_bitrate_bps": t.bwe.estimate_bps if t.bwe != NULL else t.remb_bps,
            **estimation_told(t),
        }

    def decisions(self, int id):
        """The latest changes of what a transport's videos get, oldest first: (microseconds, consumer, spatial and temporal layer before
        and after, why, the estimate in bit/s).
        """
        return decisions(self._transport(id))

    def traffic(self, list ids):
        """A row for each of these transports that is there: its number, bytes in and out, packets in and out, media packets taken in

        and expected, and those that its peer reported lost. Nothing on the transports is walked: hundreds may be asked for at once.
        """
        cdef Transport* t
        rows = []
        for id in ids:
            if id in self.transports:
                t = self._transport(id)
                rows.append((
                    id, t.bytes_in, t.bytes_out, t.packets_in, t.packets_out, t.media_in, t.media_expected, t.reported_lost,
                ))
        return rows

    # Producers.

    def create_producer(self, int id, int transport, str kind, str mid, list streams, list codecs, dict extensions, list layers=[],
                        int group=0):
        """A published source; the shapes of the arguments are in parameters.pyx."""
        if id <= 0 or id in self.producers:
            raise MisuseError(f"producer id {id} is not free")
        cdef Producer* p = make_producer(&self.s, self._transport(transport), id, kind, mid, streams, codecs, extensions, layers)
        p.mask_us = self.now
        timers_hasten(&self.s.timers, p.transport, self.now)
        if group and not p.video:
            voices_join(&self.s, p, group, self.now)
        self.producers[id] = <size_t>p

    def pause_producer(self, int id):
        """Nothing of it is forwarded until resumed."""
        cdef Producer* p = self._producer(id)
        cdef u32 i
        p.paused = 1
        for i in range(p.consumer_count):
            allocation_want(&self.s, p.consumers[i].transport, self.now)

    def resume_producer(self, int id):
        cdef Producer* p = self._producer(id)
        cdef u32 i
        if p.paused:
            p.paused = 0
            for i in range(p.consumer_count):
                consumer_restart(p.consumers[i])
                producer_want_keyframe(&self.s, p, p.consumers[i].stream, self.now)
                allocation_want(&self.s, p.consumers[i].transport, self.now)

    cdef void _forget_producer(self, Producer* p):
        cdef u32 i
        for i in range(p.consumer_count):
            self.consumers.pop(p.consumers[i].id, None)
        self.producers.pop(p.id, None)

    def close_producer(self, int id):
        """Closes its consumers too."""
        cdef Producer* p = self._producer(id)
        self._forget_producer(p)
        sources_retire(p.transport, p)
        producer_free(&self.s, p)

    # Consumers.

    def create_consumer(self, int id, int transport, int producer, unsigned int ssrc, unsigned int rtx_ssrc, list codecs,
                        dict extensions, str mid, bint paused, str cname=""):
        """One subscriber's copy of a producer; the shapes of the arguments are in parameters.pyx."""
        if id <= 0 or id in self.consumers:
            raise MisuseError(f"consumer id {id} is not free")
        cdef Consumer* c = make_consumer(&self.s, self._transport(transport), self._producer(producer), id, ssrc, rtx_ssrc,
                                         codecs, extensions, cname)
        c.paused = paused
        self.consumers[id] = <size_t>c
        if c.ext[EXT_TRANSPORT_CC]:
            estimation_begin(&self.s, c.transport, self.now)
        allocation_want(&self.s, c.transport, self.now)
        if not paused:
            self.request_keyframe(id)

    def pause_consumer(self, int id):
        cdef Consumer* c = self._consumer(id)
        c.paused = 1
        allocation_want(&self.s, c.transport, self.now)

    def resume_consumer(self, int id):
        cdef Consumer* c = self._consumer(id)
        if c.paused:
            c.paused = 0
            consumer_restart(c)
            allocation_want(&self.s, c.transport, self.now)
            self.request_keyframe(id)

    def close_consumer(self, int id):
        cdef Consumer* c = self._consumer(id)
        del self.consumers[id]
        allocation_want(&self.s, c.transport, self.now)
        consumer_free(&self.s, c)

    def request_keyframe(self, int id):
        """Asks the publisher for a keyframe, within the limit of such requests."""
        cdef Consumer* c = self._consumer(id)
        producer_want_keyframe(&self.s, c.producer, c.stream, self.now)

    def set_preferred_layers(self, int id, int spatial, int temporal):
        """The most that the subscriber takes, counted from the lowest; what is above the publisher's highest means all."""
        cdef Consumer* c = self._consumer(id)
        c.preferred = max(0, min(spatial, MAX_SPATIAL - 1))
        c.preferred_temporal = max(0, min(temporal, MAX_TEMPORAL - 1))
        allocation_want(&self.s, c.transport, self.now)

    def set_view(self, int id, int width, int height):
        """How large the picture is on the subscriber's screen, in device pixels: 0, 0 out of sight, negative unknown."""
        cdef Consumer* c = self._consumer(id)
        cdef bint was_hidden = c.hidden
        c.hidden = width == 0 or height == 0
        c.view_width, c.view_height = min(width, MAX_VIEW), min(height, MAX_VIEW)
        if was_hidden and not c.hidden:
            consumer_restart(c)
            self.request_keyframe(id)
        allocation_want(&self.s, c.transport, self.now)

    def set_priority(self, int id, int priority):
        """Above 1: pinned, the higher the sooner it is served."""
        cdef Consumer* c = self._consumer(id)
        if not 1 <= priority <= 255:
            raise MisuseError(f"priority {priority} is not between 1 and 255")
        c.priority = priority
        allocation_want(&self.s, c.transport, self.now)

    def set_loudest(self, int group, int limit):
        """At most so many voices of a group of audio producers are forwarded at a time; 0: all."""
        voices_limit(&self.s, group, limit, self.now)

    def set_wanted(self, int id, int mask):
        """The spatial layers of a producer, a bit each, that subscribers on other workers want."""
        cdef Producer* p = self._producer(id)
        p.remote_mask = mask & ((1 << MAX_SPATIAL) - 1)
        p.mask_us = self.now
        timers_hasten(&self.s.timers, p.transport, self.now)

    # What the node reads.

    def stats(self):
        """Counters since the start and a census of live objects."""
        return {**self.s.counters, **census(&self.s)}

    def take_events(self):
        """("transport.state", id, state), ("levels", [(producer id, level), …]), ("consumer.layers", id, spatial, temporal, reason),
        ("producer.layers", id, mask), ("transport.bandwidth", id, bit/s) and ("speaker", group, producer id or 0), oldest first.
        """
        events, levels = [], []
        cdef u32 i
        cdef Event* event
        for i in range(self.s.event_count):
            event = &self.s.events[i]
            if event.kind == EVENT_TRANSPORT_STATE:
                events.append(("transport.state", event.id, _STATES[event.value]))
            elif event.kind == EVENT_LEVEL:
                levels.append((event.id, event.value))
            elif event.kind == EVENT_CONSUMER_LAYERS:
                events.append(("consumer.layers", event.id, event.spatial, event.temporal, (<bytes>alloc_reason(event.value)).decode()))
            elif event.kind == EVENT_PRODUCER_LAYERS:
                events.append(("producer.layers", event.id, event.value))
            elif event.kind == EVENT_BANDWIDTH:
                events.append(("transport.bandwidth", event.id, event.number))
            elif event.kind == EVENT_SPEAKER:
                events.append(("speaker", event.number, event.id))
            elif levels:
                events.append(("levels", levels))
                levels = []
        self.s.event_count = 0
        return events

    # Virtual time: the same turn, with bytes objects.

    def feed(self, list datagrams, us_t now_us):
        """Datagrams as (bytes, (remote ip, remote port, local ip, local port)), in the order they came."""
        cdef Datagram one
        cdef bytes data
        cdef int taken = 0
        self.now = now_us
        for data, address in datagrams:
            one.data = <const u8*><const char*>data
            one.size = len(data)
            one.arrived_us = now_us
            tuple_from_address(&one.tuple, address)
            while self.receive(&one, 1, now_us) == 0:
                self.drained += self._take_out()
            taken += 1
            if taken % BATCH == 0:
                self._flush_all(now_us)
        self._flush_all(now_us)
        while self.handshakes(now_us):
            self.drained += self._take_out()
        self.tick(now_us)

    def tick(self, us_t now_us):
        """Everything that is due."""
        self.now = now_us
        while self.run_timers(now_us):
            self.drained += self._take_out()
        self.drained += self._take_out()

    def drain(self, us_t now_us):
        """What is to be sent, in the shape of feed's datagrams."""
        self.now = now_us
        self.drained += self._take_out()
        drained, self.drained = self.drained, []
        return drained

    def next_deadline(self):
        """When tick() wants to be called, in microseconds."""
        return self.deadline()

    def _flush_all(self, us_t now_us):
        while self.flush(now_us):
            self.drained += self._take_out()
        self.drained += self._take_out()

    cdef list _take_out(self):
        cdef OutPacket* packet
        cdef u32 i
        taken = []
        for i in range(self.s.out.count):
            packet = &self.s.out.packets[i]
            data = PyBytes_FromStringAndSize(<char*>self.s.out.arena + packet.off, packet.size)
            taken.append((data, tuple_to_address(&packet.to)))
        out_clear(&self.s.out)
        self.s.done_count = 0
        return taken
