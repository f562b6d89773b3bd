"""Fuzz targets of the engine: what strangers can send it, and what somebody with the keys can.

Invariants: a stranger without the ICE password gets no byte and leaves no state; whatever a member sends, the answers of one turn
fit the output queue, no datagram is larger than a path takes, the tables stay within their caps, and an estimate within its bounds.
"""

from libc.string cimport memcpy, memset

from simplestchat._native.cc.bwe cimport BWE_LEAST_BPS, BWE_MOST_BPS
from simplestchat._native.core.bytes cimport put16, put32
from simplestchat._native.core.types cimport Tuple, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtcp cimport srtcp_seal
from simplestchat._native.crypto.srtp cimport SrtpContext, srtp_free, srtp_seal
from simplestchat._native.crypto.stunauth cimport stun_seal
from simplestchat._native.engine.entities cimport (
    MAX_DATAGRAM, MAX_SOURCES, MAX_WAITING, PASSWORD_SIZE, UFRAG_SIZE, ShardState, Transport,
)
from simplestchat._native.engine.fanout cimport fanout_flush
from simplestchat._native.engine.output cimport OUT_PACKETS, OUT_SLOT, out_clear
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.engine.timers cimport timers_first
from simplestchat._native.engine.transport cimport transport_handshakes, transport_receive, transport_tick
from simplestchat._native.testing.direct cimport connect_directly, direct_srtp
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_run
from simplestchat._native.wire.demux cimport KIND_RTCP, demux
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, RtpView, rtp_parse, rtp_write_fixed
from simplestchat._native.wire.stun cimport STUN_HEADER_SIZE, stun_write_request

FUZZ_TARGETS = ("engine-stranger", "engine-check", "engine-media", "engine-feedback", "engine-pipe")
FUZZ_ROUNDS = 200_000

cdef enum:
    VIDEO_SSRC = 1111
    VIDEO_RTX_SSRC = 1112
    AUDIO_SSRC = 1113
    VIDEO_OUT_SSRC = 2221
    AUDIO_OUT_SSRC = 2223
    PIPE_OUT_SSRC = 3331
    STEP_US = 300
    KEYFRAME_SIZE = 11
    TWCC_FORMAT = 15               # of transport-wide feedback; where its first number stands
    TWCC_BASE = 12


# A VP8 descriptor that begins a frame, and a keyframe's header.
cdef const char* KEYFRAME = b"\x10\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"


cdef struct Scene:
    ShardState* s
    Transport* publisher
    Transport* subscriber
    SrtpContext* publisher_srtp
    SrtpContext* subscriber_srtp
    Transport* pipe                # of the pipe target alone
    Tuple stranger
    us_t now
    u64 index                      # of the publisher's packets, whatever their SSRC


cdef int _settle(Scene* scene) noexcept nogil:
    """The rest of a turn. How many datagrams it sent, or FUZZ_BROKEN."""
    cdef ShardState* s = scene.s
    cdef Transport* t
    cdef u32 i
    cdef int sent = 0
    cdef bint more = True
    scene.now += STEP_US
    scene.publisher.checked_us = scene.subscriber.checked_us = scene.now      # both go on consenting
    t = timers_first(&s.timers)
    if t != NULL and t.deadline_us <= scene.now:
        transport_tick(s, t, scene.now)
    while transport_handshakes(s, scene.now):
        sent += s.out.count
        out_clear(&s.out)
    while more:
        more = fanout_flush(s, scene.now)
        if s.out.count > OUT_PACKETS or s.out.used > OUT_PACKETS * OUT_SLOT:
            return FUZZ_BROKEN
        for i in range(s.out.count):
            if s.out.packets[i].size > MAX_DATAGRAM + 64:
                return FUZZ_BROKEN
        sent += s.out.count
        out_clear(&s.out)
    if scene.publisher.source_count > MAX_SOURCES or s.dirty_count != 0 or scene.subscriber.waiting.count > MAX_WAITING:
        return FUZZ_BROKEN
    if scene.subscriber.bwe != NULL and not BWE_LEAST_BPS <= scene.subscriber.bwe.estimate_bps <= BWE_MOST_BPS:
        return FUZZ_BROKEN
    return sent


cdef int _stranger(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Any bytes from a tuple that passed no check."""
    cdef Scene* scene = <Scene*>state
    cdef u32 tuples = scene.s.by_tuple.count
    transport_receive(scene.s, data, <u32>size, &scene.stranger, scene.now)
    if scene.s.out.count or scene.s.by_tuple.count != tuples or scene.s.transport_count != 2:
        return FUZZ_BROKEN
    return 0 if demux(data, size) else -1


cdef int _check(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Checks with the right user name and password around mutated attributes."""
    cdef Scene* scene = <Scene*>state
    cdef u8 message[OUT_SLOT]
    cdef u8 name[UFRAG_SIZE + 5]
    cdef Tuple source = scene.stranger
    cdef int length
    cdef u32 extra
    cdef u32 room = sizeof(message) - 256
    memcpy(name, scene.subscriber.ice[0].ufrag, UFRAG_SIZE)
    memcpy(name + UFRAG_SIZE, b":peer", 5)
    length = stun_write_request(message, sizeof(message), b"transaction1", name, sizeof(name), 1, fuzz_below(&random, 2), 7,
                                fuzz_below(&random, 2))
    extra = <u32>min(size, room) & ~3U
    memcpy(message + length, data, extra)
    length += extra
    put16(message + 2, <u16>(length - STUN_HEADER_SIZE))
    length = stun_seal(message, length, sizeof(message), <const u8*>scene.subscriber.ice[0].password, PASSWORD_SIZE)
    if length < 0:
        return length
    source.remote_port = <u16>(40000 + fuzz_below(&random, 40))
    transport_receive(scene.s, message, length, &source, scene.now)
    length = scene.s.out.count
    if length > 1 or scene.s.by_tuple.count > 16:
        return FUZZ_BROKEN
    return -1 if _settle(scene) == FUZZ_BROKEN or length == 0 else 0


cdef u32 _some_ssrc(u64* random) noexcept nogil:
    cdef u32 choice = <u32>fuzz_below(random, 8)
    if choice < 4:
        return VIDEO_SSRC
    if choice == 4:
        return VIDEO_RTX_SSRC
    return AUDIO_SSRC if choice < 7 else <u32>fuzz_below(random, 200)


cdef int _media(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Mutated RTP with the publisher's keys: headers, extensions, padding, descriptors, retransmissions, unknown SSRCs."""
    cdef Scene* scene = <Scene*>state
    cdef u8 sealed[OUT_SLOT + 64]
    cdef RtpView view
    cdef int length
    if size < RTP_FIXED_SIZE or rtp_parse(data, size, &view) < 0:
        return -1
    scene.index += fuzz_below(&random, 3) + 1
    put16(data + 2, <u16>scene.index)
    put32(data + 8, _some_ssrc(&random))
    length = srtp_seal(scene.publisher_srtp, scene.index, data, view.header_size, NULL, 0, data + view.header_size,
                       size - view.header_size, sealed, sizeof(sealed))
    if length < 0:
        return length
    if length > MAX_DATAGRAM or demux(sealed, length) == KIND_RTCP:
        return -1
    transport_receive(scene.s, sealed, length, &scene.publisher.pairs[0].tuple, scene.now)
    length = _settle(scene)
    return length if length == FUZZ_BROKEN else (0 if length else -1)


cdef void _publish_keyframe(Scene* scene) noexcept nogil:
    """A genuine packet, so that there is something to ask for again."""
    cdef u8 header[RTP_FIXED_SIZE]
    cdef u8 sealed[OUT_SLOT]
    cdef int length
    scene.index += 1
    rtp_write_fixed(header, RTP_FIXED_SIZE, 96, True, <u16>scene.index, <u32>scene.index * 3000, VIDEO_SSRC, False, False)
    length = srtp_seal(scene.publisher_srtp, scene.index, header, RTP_FIXED_SIZE, NULL, 0, <const u8*>KEYFRAME, KEYFRAME_SIZE,
                       sealed, sizeof(sealed))
    transport_receive(scene.s, sealed, length, &scene.publisher.pairs[0].tuple, scene.now)


cdef inline u64 _heeded(const ShardState* s) noexcept nogil:
    return s.counters.nacks_in + s.counters.keyframe_requests_in + s.counters.feedbacks_in


cdef int _feedback(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Mutated RTCP with a member's keys, about SSRCs that are there."""
    cdef Scene* scene = <Scene*>state
    cdef u8 sealed[OUT_SLOT + 64]
    cdef bint from_publisher = fuzz_below(&random, 3) == 0
    cdef SrtpContext* keys = scene.publisher_srtp if from_publisher else scene.subscriber_srtp
    cdef Transport* t = scene.publisher if from_publisher else scene.subscriber
    cdef u64 heeded
    cdef int length
    if fuzz_below(&random, 4) == 0:
        _publish_keyframe(scene)
        if _settle(scene) == FUZZ_BROKEN:
            return FUZZ_BROKEN
    if size >= 12 and fuzz_below(&random, 4):
        put32(data + 8, VIDEO_SSRC if from_publisher else VIDEO_OUT_SSRC)
    if size >= TWCC_BASE + 2 and data[0] & 0x1F == TWCC_FORMAT and scene.subscriber.bwe != NULL and fuzz_below(&random, 4):
        # About what has just been sent, or nearly.
        put16(data + TWCC_BASE, <u16>(scene.subscriber.bwe.history.next - fuzz_below(&random, 40)))
    if fuzz_below(&random, 8) == 0:
        scene.now += <us_t>fuzz_below(&random, 400000)
    length = srtcp_seal(keys, data, size, sealed, sizeof(sealed))
    if length < 0:
        return length
    if demux(sealed, length) != KIND_RTCP:
        return -1
    heeded = _heeded(scene.s)
    transport_receive(scene.s, sealed, length, &t.pairs[0].tuple, scene.now)
    if _settle(scene) == FUZZ_BROKEN:
        return FUZZ_BROKEN
    return 0 if _heeded(scene.s) > heeded else -1


cdef int _pipe(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Mutated RTP and RTCP with the keys of a pipe: what another worker passes on, or one that went wrong makes."""
    cdef Scene* scene = <Scene*>state
    cdef u8 sealed[OUT_SLOT + 64]
    cdef const u64* taken = &scene.s.counters.piped_in
    cdef u64 before = taken[0] + scene.s.counters.piped_out
    cdef RtpView view
    cdef int length
    if size >= 12 and demux(data, size) == KIND_RTCP:
        put32(data + 8, PIPE_OUT_SSRC if fuzz_below(&random, 2) else VIDEO_SSRC)
        length = srtcp_seal(scene.publisher_srtp, data, size, sealed, sizeof(sealed))
        if length < 0:
            return length
    elif size >= RTP_FIXED_SIZE and rtp_parse(data, size, &view) == 0:
        scene.index += fuzz_below(&random, 3) + 1
        put16(data + 2, <u16>scene.index)
        put32(data + 8, _some_ssrc(&random))
        length = srtp_seal(scene.publisher_srtp, scene.index, data, view.header_size, NULL, 0, data + view.header_size,
                           size - view.header_size, sealed, sizeof(sealed))
        if length < 0:
            return length
        if length > MAX_DATAGRAM or demux(sealed, length) == KIND_RTCP:
            return -1
        transport_receive(scene.s, sealed, length, &scene.publisher.pairs[0].tuple, scene.now)   # and out over the pipe
    else:
        return -1
    transport_receive(scene.s, sealed, length, &scene.pipe.pairs[0].tuple, scene.now)
    if _settle(scene) == FUZZ_BROKEN or scene.pipe.source_count != 3 or scene.s.by_tuple.count != 3:
        return FUZZ_BROKEN
    return 0 if taken[0] + scene.s.counters.piped_out > before else -1


cdef int _add_pipe(Shard shard, Scene* scene) except -1:
    """What the publisher sends goes out over it, too, and the same comes in for the subscriber."""
    shard.create_pipe(3, ("192.0.2.3", 3000), ("192.0.2.9", 9), bytes(28), b"0123456789abcdefsalt-of-test")
    codecs = [(96, 97, 90000, "vp8", True, True, True), (98, 99, 90000, "h264", True, True, True)]
    shard.create_producer(3, 3, "video", "", [(VIDEO_SSRC, VIDEO_RTX_SSRC, "")], codecs, {"video-orientation": 5})
    shard.create_producer(4, 3, "audio", "", [(AUDIO_SSRC, 0, "")], [(111, -1, 48000, "opus", True, False, False)], {"audio-level": 4})
    shard.create_consumer(3, 2, 3, VIDEO_OUT_SSRC + 10, VIDEO_OUT_SSRC + 11, [(96, 100, 101), (98, 102, 103)], {}, "2", False, "")
    shard.create_consumer(4, 2, 4, AUDIO_OUT_SSRC + 10, 0, [(111, 109, -1)], {"audio-level": 1}, "3", False)
    shard.pipe_producer(3, 1, [(5, PIPE_OUT_SSRC, PIPE_OUT_SSRC + 1), (6, PIPE_OUT_SSRC + 2, PIPE_OUT_SSRC + 3)])
    scene.pipe = shard._transport(3)
    return 0


cdef Shard _make_shard():
    """A publisher of video (by any codec, with RTX, extensions and a second encoding to be learned) and audio, and one subscriber."""
    shard = Shard(1)
    shard.create_transport(1)
    shard.create_transport(2)
    extensions = {"mid": 1, "rid": 2, "repaired-rid": 3, "audio-level": 4, "video-orientation": 5, "transport-cc": 6,
                  "dependency-descriptor": 7}
    codecs = [(96, 97, 90000, "vp8", True, True, True), (98, 99, 90000, "h264", True, True, True),
              (102, 103, 90000, "vp9", True, True, True), (45, 46, 90000, "av1", True, True, True)]
    shard.create_producer(1, 1, "video", "v", [(VIDEO_SSRC, VIDEO_RTX_SSRC, ""), (0, 0, "h")], codecs, extensions)
    shard.create_producer(2, 1, "audio", "a", [(AUDIO_SSRC, 0, "")], [(111, -1, 48000, "opus", True, False, False)], extensions)
    shard.create_consumer(1, 2, 1, VIDEO_OUT_SSRC, VIDEO_OUT_SSRC + 1, [(96, 100, 101), (98, 102, 103), (102, 104, 105), (45, 106, 107)],
                          {"video-orientation": 20, "transport-cc": 3, "dependency-descriptor": 12}, "0", False, "name")
    shard.create_consumer(2, 2, 2, AUDIO_OUT_SSRC, 0, [(111, 109, -1)], {"audio-level": 1}, "1", False)
    return shard


cdef Scene _make_scene(Shard shard) except *:
    cdef Scene scene
    memset(&scene, 0, sizeof(scene))
    scene.now = 1000000
    scene.s = &shard.s
    scene.publisher = shard._transport(1)
    scene.subscriber = shard._transport(2)
    connect_directly(shard, scene.publisher, ("192.0.2.1", 1000, "192.0.2.9", 9), scene.now)
    connect_directly(shard, scene.subscriber, ("192.0.2.2", 2000, "192.0.2.9", 9), scene.now)
    scene.stranger = scene.publisher.pairs[0].tuple
    scene.stranger.remote_port = 6666
    scene.publisher_srtp = direct_srtp()
    scene.subscriber_srtp = direct_srtp()
    return scene


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    if target == "engine-stranger":
        function = _stranger
    elif target == "engine-check":
        function = _check
    elif target == "engine-media":
        function = _media
    elif target == "engine-feedback":
        function = _feedback
    elif target == "engine-pipe":
        function = _pipe
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    cdef Shard shard = _make_shard()
    cdef Scene scene = _make_scene(shard)
    if target == "engine-pipe":
        _add_pipe(shard, &scene)
    try:
        return fuzz_run(function, &scene, target, seed, rounds, corpus)
    finally:
        srtp_free(scene.publisher_srtp)
        srtp_free(scene.subscriber_srtp)
