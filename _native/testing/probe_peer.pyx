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
from simplestchat._native.peer.sender cimport (
    Outgoing, Sender as _Sender, SenderTotals, sender_deadline, sender_free, sender_heard, sender_keyframe, sender_layers, sender_mute,
    sender_new, sender_next, sender_report, sender_resend, sender_totals,
)
from simplestchat._native.peer.settings cimport (
    PEER_EXT_COUNT, PEER_MAX_LAYERS, PEER_NAME_SIZE, LayerSettings, ReceiverSettings, SenderSettings,
)
from simplestchat._native.wire.rtcp cimport NackItem, ReportBlock, SenderInfo
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


def stamp_write(size_t size, dict fields):
    """A stamp of ``size`` bytes; keys are those of Stamp."""
    cdef Exact out = exact_room(size)
    cdef Stamp stamp = fields
    _check(_stamp_write(out.data, size, &stamp), "a stamp")
    return bytes(out.data[:size])


def stamp_read(bytes data):
    """The fields of a stamp."""
    cdef Exact copy = exact_copy(data)
    cdef Stamp stamp
    _check(_stamp_read(copy.data, copy.size, &stamp), "a stamp")
    return dict(stamp)


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

    def delivered(self, u32 user, u8 track, u8 layer, u32 counter):
        """Notes that somebody got this packet."""
        _check(ledger_delivered(self.state, user, track, layer, counter), "a ledger")

    def anybody(self, u32 user, u8 track, u8 layer, u32 counter):
        """Did anybody get this packet?"""
        return bool(ledger_anybody(self.state, user, track, layer, counter))


EXT_NAMES = ("mid", "audio-level", "abs-send-time", "transport-cc", "rid", "repaired-rid")


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

    def layers(self, u8 mask, us_t now):
        """Says which encodings are sent."""
        sender_layers(self.state, mask, now)

    def totals(self):
        """The fields of SenderTotals."""
        cdef SenderTotals totals
        sender_totals(self.state, &totals)
        return dict(totals)

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
