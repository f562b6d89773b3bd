"""Fuzz targets of synthetic peers: what anybody, and what the server itself, can send to a path in each of its states.

Invariants: nothing of a stranger makes a path answer or changes its state, but for a handshake, which anybody may spoil; whatever the
server seals, the answers of one turn fit the output queue, no datagram is larger than a path takes, one check has one answer, and
no deadline stays in the past.
"""

from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport put16, put32
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.crypto.dtls cimport DTLS_CLIENT, dtls_free, dtls_new, dtls_start
from simplestchat._native.crypto.srtcp cimport srtcp_seal
from simplestchat._native.crypto.srtp cimport SrtpContext, srtp_free, srtp_seal
from simplestchat._native.crypto.stunauth cimport stun_seal
from simplestchat._native.peer.entities cimport (
    MAX_PEER_DATAGRAM, OWN_PASSWORD_SIZE, OWN_UFRAG_SIZE, TRANSACTIONS, Path, SwarmState, Transaction,
)
from simplestchat._native.peer.output cimport PEER_PACKETS, PEER_SLOT, peer_out_clear
from simplestchat._native.peer.path cimport (
    PATH_CONNECTED, PATH_DISCONNECTED, PATH_FAILED, PATH_HANDSHAKE, path_fail, path_receive, path_tick,
)
from simplestchat._native.peer.swarm cimport Swarm
from simplestchat._native.peer.timers cimport peer_timers_first
from simplestchat._native.testing.direct cimport connect_path_directly, direct_srtp
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_run
from simplestchat._native.wire.demux cimport KIND_RTCP, demux
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, RtpView, rtp_parse
from simplestchat._native.wire.stun cimport STUN_BINDING_SUCCESS, STUN_HEADER_SIZE, stun_write_request

FUZZ_TARGETS = ("peer-stranger", "peer-answer", "peer-media", "peer-feedback")
FUZZ_ROUNDS = 200_000

cdef enum:
    STATES = 5                     # paths of the scene: checking, in a handshake, connected, disconnected, failed
    SHAKING = 1
    TALKING = 2                    # the one with tracks
    AUDIO_SSRC = 3331              # received
    VIDEO_SSRC = 3333
    VIDEO_RTX_SSRC = 3334
    GONE_SSRC = 3335               # of a receiver that was removed
    SENT_SSRC = 4441               # published
    STEP_US = 300

cdef struct Peers:
    SwarmState* s
    Path* paths[STATES]
    SrtpContext* server
    us_t now
    u64 index                      # of the server's packets, whatever their SSRC


cdef void _shake_again(Peers* scene) noexcept nogil:
    """The handshake from its beginning: somebody spoiled it, or it took too long."""
    cdef Path* p = scene.paths[SHAKING]
    dtls_free(p.dtls)
    p.dtls = dtls_new(scene.s.dtls, DTLS_CLIENT)
    p.state = PATH_HANDSHAKE
    p.added_us = scene.now
    if p.dtls != NULL:
        dtls_start(p.dtls, scene.now)


cdef int _settle(Peers* scene) noexcept nogil:
    """The rest of a turn. How many datagrams it sent, or FUZZ_BROKEN."""
    cdef SwarmState* s = scene.s
    cdef Path* p
    cdef bint more = True
    cdef int i
    cdef int sent = 0
    scene.now += STEP_US
    for i in range(STATES):
        scene.paths[i].answered_us = scene.paths[i].added_us = scene.now     # the server goes on answering
    while more:
        p = peer_timers_first(&s.timers)
        more = p.deadline_us <= scene.now
        if more and not path_tick(s, p, scene.now) and p.deadline_us <= scene.now:
            return FUZZ_BROKEN
        if s.out.count > PEER_PACKETS or s.out.used > PEER_PACKETS * PEER_SLOT:
            return FUZZ_BROKEN
        for i in range(<int>s.out.count):
            if s.out.packets[i].size > MAX_PEER_DATAGRAM:
                return FUZZ_BROKEN
        sent += s.out.count
        peer_out_clear(&s.out)
    s.event_count = 0
    if scene.paths[SHAKING].state == PATH_FAILED:
        _shake_again(scene)
    return sent


cdef int _stranger(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Any bytes from the server's address."""
    cdef Peers* scene = <Peers*>state
    cdef size_t which = fuzz_below(&random, STATES)
    cdef Path* p = scene.paths[which]
    cdef u8 before = p.state
    path_receive(scene.s, p, data, <u32>size, scene.now, scene.now)
    if which != SHAKING and (p.state != before or scene.s.out.count):
        return FUZZ_BROKEN
    return -1 if _settle(scene) == FUZZ_BROKEN else (0 if demux(data, size) else -1)


cdef int _write_request(Path* p, const u8* data, size_t size, u8* message, size_t cap) noexcept nogil:
    """A check of the server's, with our name in front and mutated attributes behind."""
    cdef u8 name[OWN_UFRAG_SIZE + 5]
    cdef int length
    memcpy(name, p.own_ufrag, OWN_UFRAG_SIZE)
    memcpy(name + OWN_UFRAG_SIZE, b":peer", 5)
    length = stun_write_request(message, cap, b"transaction1", name, sizeof(name), 1, False, 7, False)
    memcpy(message + length, data, size)
    length += <int>size
    put16(message + 2, <unsigned short>(length - STUN_HEADER_SIZE))
    return stun_seal(message, length, cap, <const u8*>p.own_password, OWN_PASSWORD_SIZE)


cdef int _write_answer(Path* p, const u8* data, size_t size, u8* message, size_t cap, u64* random) noexcept nogil:
    """An answer with the right password, to one of the latest checks or an old one."""
    cdef Transaction* t = &p.transactions[fuzz_below(random, TRANSACTIONS)]
    memset(message, 0, STUN_HEADER_SIZE)
    put16(message, STUN_BINDING_SUCCESS)
    put16(message + 2, <unsigned short>size)
    put32(message + 4, 0x2112A442)
    memcpy(message + 8, t.id, sizeof(t.id))
    memcpy(message + STUN_HEADER_SIZE, data, size)
    return stun_seal(message, STUN_HEADER_SIZE + size, cap, p.ice.user + p.ice.user_size, p.ice.password_size)


cdef int _answer(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Answers and checks that only the server can make, around mutated attributes."""
    cdef Peers* scene = <Peers*>state
    cdef Path* p = scene.paths[fuzz_below(&random, STATES)]
    cdef u8 message[PEER_SLOT]
    cdef u64 answers = scene.s.measures.rtt.count
    cdef u64 dropped = p.totals.dropped
    cdef bint asks = fuzz_below(&random, 3) == 0
    cdef size_t extra = min(size, <size_t>1000) & ~<size_t>3
    cdef int length
    if asks:
        length = _write_request(p, data, extra, message, sizeof(message))
    else:
        length = _write_answer(p, data, extra, message, sizeof(message), &random)
    path_receive(scene.s, p, message, length, scene.now, scene.now)
    answers = scene.s.measures.rtt.count - answers
    if answers > 1 or (asks and (answers or scene.s.out.count > 1)):
        return FUZZ_BROKEN
    path_receive(scene.s, p, message, length, scene.now, scene.now)          # an answer counts once
    if not asks and p.totals.dropped == dropped:
        return FUZZ_BROKEN
    if scene.paths[3].state == PATH_CONNECTED:
        scene.paths[3].state = PATH_DISCONNECTED
        scene.s.connected -= 1
    return -1 if _settle(scene) == FUZZ_BROKEN or p.totals.dropped > dropped + 1 else 0


cdef u32 _some_ssrc(u64* random) noexcept nogil:
    cdef u32 choice = <u32>fuzz_below(random, 10)
    if choice < 4:
        return VIDEO_SSRC
    if choice < 6:
        return VIDEO_RTX_SSRC
    if choice == 6:
        return GONE_SSRC
    return AUDIO_SSRC if choice < 9 else <u32>fuzz_below(random, 200)


cdef int _media(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Mutated RTP with the server's keys."""
    cdef Peers* scene = <Peers*>state
    cdef Path* p = scene.paths[TALKING]
    cdef u8 sealed[PEER_SLOT + 64]
    cdef RtpView view
    cdef u64 known = p.totals.unknown_ssrc + p.totals.dropped
    cdef u64 closed = p.totals.undecryptable
    cdef u32 ssrc = _some_ssrc(&random)
    cdef int length
    if size < RTP_FIXED_SIZE or rtp_parse(data, size, &view) < 0:
        return -1
    scene.index += fuzz_below(&random, 3) + 1
    put16(data + 2, <unsigned short>scene.index)
    put32(data + 8, ssrc)
    length = srtp_seal(scene.server, scene.index, data, view.header_size, NULL, 0, data + view.header_size,
                       size - view.header_size, sealed, sizeof(sealed))
    if length < 0:
        return length
    if length > MAX_PEER_DATAGRAM or demux(sealed, length) == KIND_RTCP:
        return -1
    path_receive(scene.s, p, sealed, length, scene.now, scene.now)
    # An SSRC that nobody announced can be opened only until its index has rolled over twice.
    if (ssrc >= AUDIO_SSRC and p.totals.undecryptable != closed) or _settle(scene) == FUZZ_BROKEN:
        return FUZZ_BROKEN
    return 0 if p.totals.unknown_ssrc + p.totals.undecryptable + p.totals.dropped == known + closed else -1


cdef int _feedback(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    """Mutated RTCP with the server's keys, about SSRCs that are there."""
    cdef Peers* scene = <Peers*>state
    cdef Path* p = scene.paths[TALKING]
    cdef u8 sealed[PEER_SLOT + 64]
    cdef us_t before = p.deadline_us
    cdef u64 noted = p.feedbacks + p.remb_bps
    cdef int length, sent
    if size >= 12 and fuzz_below(&random, 4):
        put32(data + 8, SENT_SSRC)
    length = srtcp_seal(scene.server, data, size, sealed, sizeof(sealed))
    if length < 0:
        return length
    if demux(sealed, length) != KIND_RTCP:
        return -1
    path_receive(scene.s, p, sealed, length, scene.now, scene.now)
    sent = scene.s.out.count
    if p.totals.undecryptable or _settle(scene) == FUZZ_BROKEN:
        return FUZZ_BROKEN
    # Heeded: something was sent again, a keyframe wanted, an estimate noted.
    return 0 if sent or p.deadline_us < before or p.feedbacks + p.remb_bps != noted else -1


cdef dict _track(str codec, u32 ssrc, u32 rtx_ssrc):
    return {
        "user": 1, "track": int(codec != "opus"), "codec": codec, "payload_type": 96 if rtx_ssrc else 111,
        "rtx_payload_type": 97 if rtx_ssrc else -1, "clock_rate": 90000 if rtx_ssrc else 48000, "ssrc": ssrc, "rtx_ssrc": rtx_ssrc,
        "ext": {"mid": 1, "transport-cc": 5}, "fps": 30, "max_payload": 1100, "mid": "0", "talk": 1, "dtx": False, "talk_ms": 1, "silence_ms": 1,
        "seed": 1, "layers": [{"ssrc": ssrc, "rtx_ssrc": rtx_ssrc, "bitrate_bps": 500000, "width": 640, "height": 360, "rid": ""}],
    }


cdef Swarm _make_swarm():
    """Five paths; the third has a published video, two receivers and a removed one."""
    cdef Swarm swarm = Swarm(b"fuzz")
    swarm.tick(1000000)
    for id in range(STATES):
        swarm.add_path(id, id, ("192.0.2.1", 9), "server", "password-of-the-server", swarm.fingerprint, id)
    swarm.add_sender(1, TALKING, _track("vp8", SENT_SSRC, SENT_SSRC + 1))
    swarm.add_receiver(1, TALKING, _track("opus", AUDIO_SSRC, 0))
    swarm.add_receiver(2, TALKING, _track("vp8", VIDEO_SSRC, VIDEO_RTX_SSRC))
    swarm.add_receiver(3, TALKING, _track("vp8", GONE_SSRC, 0))
    swarm.remove_receiver(3)
    return swarm


cdef Peers _make_scene(Swarm swarm) except *:
    cdef Peers scene
    cdef int i
    memset(&scene, 0, sizeof(scene))
    scene.now = 1000000
    scene.s = &swarm.s
    for i in range(STATES):
        scene.paths[i] = swarm.s.paths[i]
    _shake_again(&scene)
    connect_path_directly(swarm, scene.paths[TALKING], scene.now)
    connect_path_directly(swarm, scene.paths[3], scene.now)
    scene.paths[3].state = PATH_DISCONNECTED
    swarm.s.connected -= 1
    path_fail(&swarm.s, scene.paths[4])
    scene.server = direct_srtp()
    return scene


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    if target == "peer-stranger":
        function = _stranger
    elif target == "peer-answer":
        function = _answer
    elif target == "peer-media":
        function = _media
    elif target == "peer-feedback":
        function = _feedback
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    cdef Swarm swarm = _make_swarm()
    cdef Peers scene = _make_scene(swarm)
    try:
        return fuzz_run(function, &scene, target, seed, rounds, corpus)
    finally:
        srtp_free(scene.server)
