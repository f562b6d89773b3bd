"""Where fuzzing of encryption starts: genuine packets under the targets' own keys, and the datagrams of a handshake."""

from __future__ import annotations

import random

from support.dtls_wire import ALERT, CCS, DATA, HANDSHAKE, Wire, fragments, record, records
from support.rtp_packets import any_rtcp, any_rtp, rtp
from support.vectors_stun import VECTORS

from simplestchat._native.testing.fuzz_crypto import FUZZ_KEY, FUZZ_SALT
from simplestchat._native.testing.probe_crypto import SUITES, Srtp, srtp_sizes, stun_seal
from simplestchat._native.testing.probe_wire import stun_write_request

_RNG = random.Random(3711)


def _senders() -> list[Srtp]:
    senders = []
    for suite in SUITES:
        key_size, salt_size, _tag = srtp_sizes(suite)
        senders.append(Srtp(suite, FUZZ_KEY[:key_size], FUZZ_SALT[:salt_size]))
    return senders


SRTP = [
    sender.protect(packet, index=index)
    for sender in _senders()
    for index, packet in (
        (5, rtp(1, 5, b"")),
        (65_535, any_rtp(_RNG, 1, 65_535)),
        (65_540, any_rtp(_RNG, 2, 65_540)),
        (900, rtp(3, 900, bytes(300), csrcs=3, extension=bytes(12))),
    )
]
SRTCP = [sender.protect_rtcp(any_rtcp(_RNG, ssrc)) for sender in _senders() for ssrc in range(4)]
STUN = [
    *(vector.message for vector in VECTORS),
    *(
        stun_seal(stun_write_request(bytes(12), name, 1, True, 7, True), FUZZ_KEY)
        for name in (b"a:b", b"server:client")
    ),
]


def _handshake() -> list[bytes]:
    datagrams = [sent.data for sent in Wire().run().log]
    parts = [part for datagram in datagrams for part in records(datagram)]
    pieces = [piece for part in parts if part[3:5] == b"\0\0" and len(part) > 40 for piece in fragments(part[13:], 3)]
    return datagrams + parts + pieces


DTLS = [
    *_handshake(),
    record(ALERT, b"\x02\x28"),
    record(CCS, b"\x01"),
    record(DATA, bytes(30)),
    record(HANDSHAKE, bytes(40), epoch=1),
    record(HANDSHAKE, bytes(12)),
]

CORPUS = {"srtp-open": SRTP, "srtcp-open": SRTCP, "stun-verify": STUN, "dtls-feed": DTLS}
