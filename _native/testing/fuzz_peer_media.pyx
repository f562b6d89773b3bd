"""Fuzz targets of synthetic media: stamps, payload descriptors, and whole packets into receivers.

Invariants: no byte outside the input is touched; what is read is written the same again; whatever a receiver is given, in whatever
order, each packet is counted at most once, nothing missing is forgotten, and its memory and its answers stay within their caps.
"""

from libc.string cimport memcmp, memset
from simplestchat._native.core.bytes cimport get16, get32, get64
from simplestchat._native.core.seq cimport seq_unwrap
from simplestchat._native.core.types cimport OK, i64, u8, u16, u32, u64, us_t
from simplestchat._native.peer.ledger cimport Ledger, ledger_free, ledger_new
from simplestchat._native.peer.payload cimport (
    PAYLOAD_MAX_PREFIX, PAYLOAD_OPUS, PAYLOAD_VP8, PAYLOAD_VP9, PayloadFrame, payload_read, payload_write,
)
from simplestchat._native.peer.receiver cimport (
    RECEIVER_RUNS, Measures, Receiver, ReceiverTotals, receiver_close, receiver_deadline, receiver_end, receiver_footprint,
    receiver_free, receiver_nacks, receiver_new, receiver_packet, receiver_repair, receiver_report, receiver_resume, receiver_settle,
    receiver_totals, receiver_wants_keyframe,
)
from simplestchat._native.peer.settings cimport ReceiverSettings
from simplestchat._native.peer.stamp cimport STAMP_MAX_SIZE, STAMP_SIZE, Stamp, stamp_read, stamp_write
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, fuzz_below, fuzz_run
from simplestchat._native.wire.rtcp cimport NackItem, ReportBlock
from simplestchat._native.wire.rtp cimport RtpView, rtp_parse, rtp_payload_size

FUZZ_TARGETS = ("media-stamp", "media-payload", "media-receive")
FUZZ_ROUNDS = 300_000

cdef enum:
    MAGIC = 0x53C4A7ED
    USER = 3
    VIDEO_TYPE = 96
    RTX_TYPE = 97
    AUDIO_TYPE = 111
    ITEMS = 16
    MAX_STEP_US = 40000


cdef struct Scene:
    Receiver* video
    Receiver* audio
    Ledger* ledger
    Measures* measures
    us_t now
    u64 index                      # highest of the media's


# A stamp's fields as they stand, made whole: or nothing mutated would come past its CRC. Only what still begins as one.
cdef void _mend(u8* data, size_t size) noexcept nogil:
    cdef Stamp stamp
    if size < STAMP_SIZE or size > STAMP_MAX_SIZE or get32(data) != <u32> MAGIC:
        return
    stamp.user = get32(data + 4)
    stamp.track = data[8]
    stamp.layer = data[9]
    stamp.flags = data[10]
    stamp.frame = get32(data + 12)
    stamp.part = get16(data + 16)
    stamp.parts = get16(data + 18)
    stamp.counter = get32(data + 20)
    stamp.sent_us = <us_t> get64(data + 24)
    stamp.layered = data[11] == 2
    if stamp.layered:
        stamp.spatial = data[40] >> 4 & 3
        stamp.temporal = data[40] & 3
        stamp.spatial_count = data[41] & 3
        stamp.back = data[42] & 7
        stamp.inter_layer = data[43] & 1
    stamp_write(data, size, &stamp)


cdef int _stamp(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Stamp stamp
    cdef u8 again[STAMP_MAX_SIZE]
    cdef int status
    if fuzz_below(&random, 2):
        _mend(data, size)
    status = stamp_read(data, size, &stamp)
    if status < 0:
        return status
    if stamp_write(again, size, &stamp) != OK or memcmp(again, data, size) != 0:
        return FUZZ_BROKEN
    return OK


# The first byte chooses the codec.
cdef int _payload(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef PayloadFrame frame, same
    cdef u8 again[PAYLOAD_MAX_PREFIX + 1]
    cdef u8 codec
    cdef int offset
    if size == 0:
        return -1
    codec = data[0] % 7
    offset = payload_read(codec, data + 1, size - 1, &frame)
    if offset < 0:
        return offset
    if <size_t> offset > size - 1 or offset > PAYLOAD_MAX_PREFIX:
        return FUZZ_BROKEN
    if frame.width == 0:                       # where the codec does not say it
        frame.width = frame.height = 1
    again[offset] = 0                          # no descriptor stands alone
    if payload_write(again, PAYLOAD_MAX_PREFIX, &frame) != offset or payload_read(codec, again, offset + 1, &same) != offset:
        return FUZZ_BROKEN
    if same.keyframe != frame.keyframe or same.first != frame.first or same.last != frame.last:
        return FUZZ_BROKEN
    # VP9's index of base layers is made of the picture id where there are no layers.
    if not (codec == PAYLOAD_VP9 and data[1] & 0x20 and not frame.layered) and memcmp(again, data + 1, offset) != 0:
        return FUZZ_BROKEN
    return OK


cdef int _sound(const Receiver* r) noexcept nogil:
    cdef ReceiverTotals t
    cdef u64 open = 0
    cdef int i
    receiver_totals(r, &t)
    for i in range(RECEIVER_RUNS):
        if r.tallies[i].used:
            open += r.tallies[i].missing
            if not r.tallies[i].first <= r.tallies[i].settled <= r.tallies[i].next:
                return FUZZ_BROKEN
            if r.tallies[i].missing > r.tallies[i].next - r.tallies[i].settled:
                return FUZZ_BROKEN
    if t.missed != t.lost + t.repaired + open or t.lost_uplink > t.lost:
        return FUZZ_BROKEN
    if t.delivered + t.duplicate + t.corrupt + t.misdelivered > t.packets or t.frames > t.delivered + t.keyframes:
        return FUZZ_BROKEN
    return FUZZ_BROKEN if receiver_footprint(r) > 16384 else OK


# What the loop of a swarm does between packets.
cdef int _turn(Scene* scene, Receiver* r, u64* random) noexcept nogil:
    cdef NackItem items[ITEMS]
    cdef ReportBlock block
    cdef size_t choice = fuzz_below(random, 64)
    cdef int cap = <int> fuzz_below(random, ITEMS + 1)
    if receiver_deadline(r) <= scene.now:
        if receiver_nacks(r, scene.now, items, cap) > cap:
            return FUZZ_BROKEN
        receiver_wants_keyframe(r, scene.now)
    if choice == 0:
        receiver_end(r, scene.now, fuzz_below(random, 2), <u32> fuzz_below(random, 5000))
    elif choice < 4:
        receiver_resume(r, scene.now)
    elif choice < 8:
        receiver_settle(r, scene.now, scene.ledger)
    elif choice < 10:
        receiver_report(r, scene.now, &block)
    elif choice == 10:
        receiver_close(r, scene.now, scene.ledger)
    return _sound(r)


cdef bint _open(Scene* scene) noexcept nogil:
    cdef ReceiverSettings settings
    memset(&settings, 0, sizeof(settings))
    settings.user = USER
    settings.track = 1
    settings.codec = PAYLOAD_VP8
    settings.video = 1
    settings.payload_type = VIDEO_TYPE
    settings.rtx_payload_type = RTX_TYPE
    settings.ssrc = 100
    settings.rtx_ssrc = 101
    settings.clock_rate = 90000
    scene.video = receiver_new(&settings, scene.now)
    settings.track = settings.video = 0
    settings.codec = PAYLOAD_OPUS
    settings.payload_type = AUDIO_TYPE
    settings.rtx_payload_type = -1
    settings.rtx_ssrc = 0
    settings.clock_rate = 48000
    scene.audio = receiver_new(&settings, scene.now)
    scene.ledger = ledger_new(1)
    return scene.video is not NULL and scene.audio is not NULL and scene.ledger is not NULL


cdef void _close(Scene* scene) noexcept nogil:
    receiver_free(scene.video)
    receiver_free(scene.audio)
    ledger_free(scene.ledger)
    scene.video = scene.audio = NULL
    scene.ledger = NULL


cdef void _give(Scene* scene, Receiver* r, u8* data, size_t size, const RtpView* view) noexcept nogil:
    cdef i64 index
    if r == scene.video and view.payload_type == RTX_TYPE:
        receiver_repair(r, data, <u32> size, view, scene.now, scene.ledger, scene.measures)
        return
    index = seq_unwrap(scene.index, view.sequence)
    if index >= 0:
        scene.index = max(scene.index, <u64> index)
        receiver_packet(r, data, <u32> size, view, <u64> index, scene.now, scene.ledger, scene.measures)


cdef int _media(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Mutated RTP into a receiver that has heard all before it, with stamps made whole, in any order."""
    cdef Scene* scene = <Scene*> state
    cdef RtpView view
    cdef PayloadFrame frame
    cdef ReceiverTotals before, after
    cdef Receiver* r
    cdef int status = rtp_parse(data, size, &view), payload, offset, skip
    if status < 0:
        return status
    if fuzz_below(&random, 2000) == 0:
        _close(scene)
        if not _open(scene):
            return -1
    r = scene.audio if view.payload_type == AUDIO_TYPE else scene.video
    skip = view.header_size + (2 if view.payload_type == RTX_TYPE else 0)
    payload = rtp_payload_size(data, size, &view) - (skip - view.header_size)
    if payload > 0 and fuzz_below(&random, 4):
        offset = payload_read(r.settings.codec, data + skip, payload, &frame)
        if offset >= 0:
            _mend(data + skip + offset, payload - offset)
    scene.now += fuzz_below(&random, MAX_STEP_US)
    receiver_totals(r, &before)
    _give(scene, r, data, size, &view)
    receiver_totals(r, &after)
    if after.packets > before.packets + 1 or after.delivered > before.delivered + 1:
        return FUZZ_BROKEN
    if _turn(scene, r, &random) == FUZZ_BROKEN:
        return FUZZ_BROKEN
    return 0 if after.delivered + after.duplicate + after.misdelivered > before.delivered + before.duplicate + before.misdelivered else -1


cdef class _Stage:
    cdef Scene scene
    cdef Measures measures

    def __cinit__(self):
        memset(&self.measures, 0, sizeof(Measures))
        memset(&self.scene, 0, sizeof(Scene))
        self.scene.measures = &self.measures
        self.scene.now = 1000000
        if not _open(&self.scene):
            raise MemoryError

    def __dealloc__(self):
        _close(&self.scene)


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef _Stage stage
    if target == "media-stamp":
        return fuzz_run(_stamp, NULL, target, seed, rounds, corpus)
    if target == "media-payload":
        return fuzz_run(_payload, NULL, target, seed, rounds, corpus)
    if target == "media-receive":
        stage = _Stage()
        return fuzz_run(_media, &stage.scene, target, seed, rounds, corpus)
    raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
