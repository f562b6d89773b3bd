"""Doors to what synthetic users are made of: histograms, stamps, payloads, the ledger, senders and receivers."""

from libc.string cimport memcpy, memset
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.histogram cimport (
    HISTOGRAM_BUCKETS, Histogram as _Histogram, histogram_add, histogram_bucket as _bucket, histogram_clear, histogram_merge,
    histogram_take,
)
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t
from simplestchat._native.peer.ledger cimport Ledger as _Ledger, ledger_anybody, ledger_delivered, ledger_free, ledger_new
from simplestchat._native.peer.ledger cimport LEDGER_BITS as _BITS, LEDGER_MAX_STREAMS as _MAX_STREAMS
from simplestchat._native.peer.payload cimport PayloadFrame, payload_read as _payload_read, payload_write as _payload_write
from simplestchat._native.peer.stamp cimport (
    Stamp, crc32c as _crc32c, crc32c_portable as _crc32c_portable, stamp_read as _stamp_read, stamp_write as _stamp_write,
)
from simplestchat._native.peer.receiver cimport (
    Measures as _Measures, Receiver as _Receiver, ReceiverTotals, receiver_close, receiver_deadline, receiver_end, receiver_footprint, receiver_free,
    receiver_nacks, receiver_new, receiver_packet, receiver_repair, receiver_report, receiver_resume, receiver_sender_report,
    receiver_settle, receiver_totals, receiver_wants_keyframe,
)
from simplestchat._native.peer.sender cimport (
    Outgoing, Sender as _Sender, SenderTotals, sender_bitrate, sender_deadline, sender_footprint, sender_free, sender_heard, sender_keyframe,
    sender_layers, sender_mute, sender_new, sender_next, sender_report, sender_resend, sender_talk, sender_totals,
)
from simplestchat._native.peer.settings cimport (
    PEER_EXT_COUNT, PEER_MAX_LAYERS, PEER_NAME_SIZE, LayerSettings, ReceiverSettings, SenderSettings,
)
from simplestchat._native.wire.rtcp cimport NackItem, ReportBlock, SenderInfo
from simplestchat._native.wire.rtp cimport RtpView, rtp_parse
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room

BUCKETS = HISTOGRAM_BUCKETS
LEDGER_BITS = _BITS
LEDGER_MAX_STREAMS = _MAX_STREAMS


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


def histogram_bucket(u64 value):
    """The bucket of a span."""
    return _bucket(value)


cdef class Histogram:
    """One histogram."""

    cdef _Histogram state

    def __cinit__(self):
        histogram_clear(&self.state)

    def add(self, us_t value):
        """Counts a span in microseconds."""
        histogram_add(&self.state, value)

    def merge(self, Histogram other):
        """Adds what ``other`` holds."""
        histogram_merge(&self.state, &other.state)

    def saturate(self, us_t value):
        """Fills the bucket of ``value`` up to one below what it can count."""
        self.state.buckets[_bucket(value)] = 0xFFFFFFFE

    def take(self):
        """``(count, sum, minimum, maximum, {bucket: count})``; begins anew."""
        return histogram_take(&self.state)


def crc32c(bytes data, u32 crc=0):
    """CRC32C, by the CPU's instruction where it has one."""
    cdef Exact copy = exact_copy(data)
    return _crc32c(crc, copy.data, copy.size)


def crc32c_portable(bytes data, u32 crc=0):
    """CRC32C, by tables."""
    cdef Exact copy = exact_copy(data)
    return _crc32c_portable(crc, copy.data, copy.size)


_PLAIN = {"layered": 0, "spatial": 0, "temporal": 0, "spatial_count": 0, "back": 0, "inter_layer": 0}


def stamp_write(size_t size, dict fields):
    """A stamp of ``size`` bytes; keys are those of Stamp, those of layers may be left out."""
    cdef Exact out = exact_room(size)
    cdef Stamp stamp = {**_PLAIN, **fields}
    _check(_stamp_write(out.data, size, &stamp), "a stamp")
    return bytes(out.data[:size])


def stamp_read(bytes data):
    """The fields of a stamp."""
    cdef Exact copy = exact_copy(data)
    cdef Stamp stamp
    _check(_stamp_read(copy.data, copy.size, &stamp), "a stamp")
    found = dict(stamp)
    return found if stamp.layered else {name: value for name, value in found.items() if name not in _PLAIN}


def payload_write(dict fields, size_t cap=64):
    """The bytes before the stamp; keys are those of PayloadFrame, what is left out is 0."""
    cdef Exact out = exact_room(cap)
    cdef PayloadFrame frame
    memset(&frame, 0, sizeof(frame))
    frame.codec = fields["codec"]
    frame.keyframe = fields.get("keyframe", 0)
    frame.first = fields.get("first", 0)
    frame.last = fields.get("last", 0)
    frame.temporal_layer = fields.get("temporal_layer", 0)
    frame.spatial_layer = fields.get("spatial_layer", 0)
    frame.width = fields.get("width", 0)
    frame.height = fields.get("height", 0)
    frame.picture_id = fields.get("picture_id", 0)
    frame.layered = fields.get("layered", 0)
    frame.spatial_count = fields.get("spatial_count", 0)
    frame.temporal_count = fields.get("temporal_count", 0)
    frame.base_pictures = fields.get("base_pictures", 0)
    frame.sync = fields.get("sync", 0)
    frame.inter_layer = fields.get("inter_layer", 0)
    frame.unused_above = fields.get("unused_above", 0)
    cdef int size = _check(_payload_write(out.data, cap, &frame), "a payload descriptor")
    return bytes(out.data[:size])


def payload_read(u8 codec, bytes data):
    """Where the stamp begins, and the fields of PayloadFrame."""
    cdef Exact copy = exact_copy(data)
    cdef PayloadFrame frame
    cdef int offset = _check(_payload_read(codec, copy.data, copy.size, &frame), "a payload descriptor")
    return offset, dict(frame)


cdef class Ledger:
    """One ledger."""

    cdef _Ledger* state

    def __cinit__(self, u64 seed=1):
        self.state = ledger_new(seed)
        if self.state is NULL:
            raise MemoryError

    def __dealloc__(self):
        ledger_free(self.state)

    def delivered(self, u64 user, u8 track, u8 layer, u32 counter):
        """Notes that somebody got this packet."""
        _check(ledger_delivered(self.state, user, track, layer, counter), "a ledger")

    def anybody(self, u64 user, u8 track, u8 layer, u32 counter):
        """Did anybody get this packet?"""
        return bool(ledger_anybody(self.state, user, track, layer, counter))


EXT_NAMES = ("mid", "audio-level", "abs-send-time", "transport-cc", "rid", "repaired-rid", "dependency-descriptor")


cdef void _name(char* out, str text):
    cdef bytes name = text.encode()
    memset(out, 0, PEER_NAME_SIZE + 1)
    memcpy(out, <const char*> name, min(<int> len(name), PEER_NAME_SIZE + 1))


cdef void _extensions(u8* out, dict ids):
    for i, name in enumerate(EXT_NAMES):
        out[i] = ids.get(name, 0)


cdef LayerSettings _layer(dict fields):
    cdef LayerSettings layer
    layer.ssrc = fields["ssrc"]
    layer.rtx_ssrc = fields.get("rtx_ssrc", 0)
    layer.bitrate_bps = fields["bitrate_bps"]
    layer.width = fields.get("width", 0)
    layer.height = fields.get("height", 0)
    _name(layer.rid, fields.get("rid", ""))
    return layer


cdef SenderSettings _sender_settings(dict fields):
    cdef SenderSettings settings
    memset(&settings, 0, sizeof(settings))
    settings.id = fields.get("id", 1)
    settings.user = fields["user"]
    settings.track = fields["track"]
    settings.codec = fields["codec"]
    settings.video = fields["video"]
    settings.payload_type = fields["payload_type"]
    settings.rtx_payload_type = fields.get("rtx_payload_type", -1)
    settings.clock_rate = fields["clock_rate"]
    settings.fps = fields.get("fps", 0)
    settings.max_payload = fields.get("max_payload", 1160)
    settings.talk = fields.get("talk", 0)
    settings.dtx = fields.get("dtx", 0)
    settings.talk_ms = fields.get("talk_ms", 0)
    settings.silence_ms = fields.get("silence_ms", 0)
    settings.seed = fields.get("seed", 1)
    settings.scalability = fields.get("scalability", {"spatial": 0, "temporal": 0, "key": 0})
    _extensions(settings.ext, fields.get("ext", {}))
    _name(settings.mid, fields.get("mid", ""))
    settings.layer_count = len(fields["layers"])
    for i, layer in enumerate(fields["layers"][:PEER_MAX_LAYERS]):
        settings.layers[i] = _layer(layer)
    return settings


cdef tuple _outgoing(const Outgoing* out):
    return bytes(out.data[:out.size]), out.header_size, out.index, out.due_us


cdef class Sender:
    """One published track; ValueError for impossible settings."""

    cdef _Sender* state

    def __cinit__(self, dict fields, us_t now):
        cdef SenderSettings settings = _sender_settings(fields)
        self.state = sender_new(&settings, now)
        if self.state is NULL:
            raise ValueError("impossible settings")

    def __dealloc__(self):
        sender_free(self.state)

    @property
    def deadline(self):
        """When something is next due."""
        return sender_deadline(self.state)

    def take(self, us_t now):
        """All packets due: ``(bytes, header size, index, due)`` each."""
        cdef Outgoing out
        packets = []
        while sender_next(self.state, now, &out):
            packets.append(_outgoing(&out))
        return packets

    def take_one(self, us_t now):
        """The next packet due, or None."""
        cdef Outgoing out
        return _outgoing(&out) if sender_next(self.state, now, &out) else None

    def resend(self, u32 ssrc, u16 sequence, us_t now):
        """The packet over RTX, or None."""
        cdef Outgoing out
        return _outgoing(&out) if sender_resend(self.state, ssrc, sequence, now, &out) else None

    def keyframe(self, u32 ssrc, us_t now):
        """Somebody asks for a keyframe."""
        sender_keyframe(self.state, ssrc, now)

    def report(self, us_t now, u64 ntp_now):
        """The fields of a sender report that is due, or None."""
        cdef SenderInfo info
        return dict(info) if sender_report(self.state, now, ntp_now, &info) else None

    def heard(self, dict block, u64 ntp_now, us_t now):
        """A report block came."""
        cdef ReportBlock report = block
        sender_heard(self.state, &report, ntp_now, now)

    def mute(self, bint muted, bint forbidden, us_t now):
        """Mutes or goes on."""
        sender_mute(self.state, muted, forbidden, now)

    def talk(self, bint talking, us_t now):
        """Talks or is silent."""
        sender_talk(self.state, talking, now)

    def bitrate(self, u8 layer, u32 bitrate_bps):
        """Another bitrate."""
        _check(sender_bitrate(self.state, layer, bitrate_bps), "a bitrate")

    def layers(self, u8 mask, us_t now):
        """Says which encodings are sent."""
        sender_layers(self.state, mask, now)

    def totals(self):
        """The fields of SenderTotals."""
        cdef SenderTotals totals
        sender_totals(self.state, &totals)
        return dict(totals)

    def footprint(self):
        """Bytes of memory, and of these of retransmission caches."""
        cdef size_t caches
        cdef size_t size = sender_footprint(self.state, &caches)
        return size, caches

    def time_next(self, us_t first, us_t last, us_t step):
        """Takes all packets from ``first`` to ``last`` without looking at them; their number and bytes."""
        cdef Outgoing out
        cdef u64 packets = 0, size = 0
        with nogil:
            while first <= last:
                while sender_next(self.state, first, &out):
                    packets += 1
                    size += out.size
                first += step
        return packets, size


cdef class Measures:
    """What receivers add their measurements to."""

    cdef _Measures state

    def __cinit__(self):
        memset(&self.state, 0, sizeof(_Measures))

    def take(self):
        """``{name: (count, sum, minimum, maximum, buckets)}``; begins anew."""
        return {
            "latency_audio": histogram_take(&self.state.latency_audio),
            "latency_video": histogram_take(&self.state.latency_video),
            "jitter": histogram_take(&self.state.jitter),
            "frame_latency": histogram_take(&self.state.frame_latency),
        }


cdef class Receiver:
    """One subscribed track; ValueError for impossible settings."""

    cdef _Receiver* state
    cdef Ledger ledger
    cdef Measures measures

    def __cinit__(self, dict fields, us_t now, Ledger ledger, Measures measures):
        cdef ReceiverSettings settings
        memset(&settings, 0, sizeof(settings))
        settings.id = fields.get("id", 1)
        settings.user = fields["user"]
        settings.track = fields["track"]
        settings.codec = fields["codec"]
        settings.video = fields["video"]
        settings.payload_type = fields["payload_type"]
        settings.rtx_payload_type = fields.get("rtx_payload_type", -1)
        settings.ssrc = fields["ssrc"]
        settings.rtx_ssrc = fields.get("rtx_ssrc", 0)
        settings.clock_rate = fields["clock_rate"]
        self.ledger = ledger
        self.measures = measures
        self.state = receiver_new(&settings, now)
        if self.state is NULL:
            raise ValueError("impossible settings")

    def __dealloc__(self):
        receiver_free(self.state)

    def packet(self, bytes data, u64 index, us_t arrival):
        """One opened packet of the media."""
        cdef Exact copy = exact_copy(data)
        cdef RtpView view
        _check(rtp_parse(copy.data, copy.size, &view), "an RTP packet")
        receiver_packet(self.state, copy.data, <u32> copy.size, &view, index, arrival, self.ledger.state, &self.measures.state)

    def repair(self, bytes data, us_t arrival):
        """One opened packet of the retransmissions."""
        cdef Exact copy = exact_copy(data)
        cdef RtpView view
        _check(rtp_parse(copy.data, copy.size, &view), "an RTP packet")
        receiver_repair(self.state, copy.data, <u32> copy.size, &view, arrival, self.ledger.state, &self.measures.state)

    def sender_report(self, u32 ssrc, u64 ntp, us_t now):
        """A sender report came."""
        cdef SenderInfo info
        memset(&info, 0, sizeof(info))
        info.ssrc = ssrc
        info.ntp = ntp
        receiver_sender_report(self.state, &info, now)

    @property
    def deadline(self):
        """When something is next due."""
        return receiver_deadline(self.state)

    def nacks(self, us_t now, int cap=64):
        """The sequence numbers to ask for now."""
        cdef NackItem items[64]
        cdef int count = receiver_nacks(self.state, now, items, min(cap, 64))
        wanted = []
        for i in range(count):
            wanted.append(items[i].pid)
            wanted += [(items[i].pid + 1 + bit) & 0xFFFF for bit in range(16) if items[i].blp >> bit & 1]
        return wanted

    def wants_keyframe(self, us_t now):
        """Should a PLI leave now?"""
        return bool(receiver_wants_keyframe(self.state, now))

    def report(self, us_t now):
        """The fields of a report block."""
        cdef ReportBlock block
        receiver_report(self.state, now, &block)
        return dict(block)

    def settle(self, us_t now):
        """Counts what has settled."""
        receiver_settle(self.state, now, self.ledger.state)

    def end(self, us_t at, expected=None):
        """Paused or closed."""
        receiver_end(self.state, at, expected is not None, expected or 0)

    def close(self, us_t now):
        """The last count."""
        receiver_close(self.state, now, self.ledger.state)

    def resume(self, us_t now):
        """Goes on."""
        receiver_resume(self.state, now)

    def totals(self):
        """The fields of ReceiverTotals."""
        cdef ReceiverTotals totals
        receiver_totals(self.state, &totals)
        return dict(totals)

    def footprint(self):
        """Bytes of memory."""
        return receiver_footprint(self.state)

    def time_packets(self, bytes data, u64 index, us_t arrival, u32 rounds):
        """Gives one and the same packet again and again: what checking and counting it costs."""
        cdef Exact copy = exact_copy(data)
        cdef RtpView view
        cdef u32 i
        _check(rtp_parse(copy.data, copy.size, &view), "an RTP packet")
        with nogil:
            for i in range(rounds):
                receiver_packet(self.state, copy.data, <u32> copy.size, &view, index, arrival, self.ledger.state, &self.measures.state)
