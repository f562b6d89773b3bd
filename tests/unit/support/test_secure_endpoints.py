"""The synthetic peers' security, against each other: what every test of a whole call rests on."""

from __future__ import annotations

import random

import pytest
from support.dtls_native import NativeDtls
from support.dtls_openssl import OpensslDtls
from support.netem import Clock, Link, Path
from support.secure import SUITES, DtlsEndpoint, DtlsRole, Refusal, SrtpPair, shared_identity


class Meeting:
    """A client and a server joined by two paths."""

    def __init__(self, link: Link, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.clock = Clock()
        self.ends: dict[DtlsRole, DtlsEndpoint] = {}
        self.pairs: dict[DtlsRole, SrtpPair] = {}
        self.to_server = Path(self.clock, rng, link, lambda data: self.ends["server"].receive(data))
        self.to_client = Path(self.clock, rng, link, lambda data: self.ends["client"].receive(data))

    def add(self, role: DtlsRole, suites: list[str]) -> OpensslDtls:
        number = 0 if role == "client" else 1
        send = self.to_server.send if role == "client" else self.to_client.send
        end = OpensslDtls(role, shared_identity(number), suites, send, lambda srtp: self.secured(role, srtp))
        self.ends[role] = end
        return end

    def add_native(self, role: DtlsRole, digest: bytes) -> None:
        send = self.to_server.send if role == "client" else self.to_client.send
        self.ends[role] = NativeDtls(self.clock, role, digest, send, lambda srtp: self.secured(role, srtp))

    def secured(self, role: DtlsRole, srtp: SrtpPair) -> None:
        self.pairs[role] = srtp

    def run(self) -> None:
        self.ends["client"].start()
        self.clock.run_until(self.clock.now + 60_000_000)


def assert_keys_fit(pairs: dict[DtlsRole, SrtpPair]) -> None:
    packet = bytes((0x80, 96, 0, 1)) + bytes(8) + b"payload"
    for one, other in (("client", "server"), ("server", "client")):
        sealed = pairs[one].protect(packet)  # type: ignore[index]
        assert pairs[other].unprotect(sealed[:-1] + bytes((sealed[-1] ^ 1,))) is Refusal.FORGED  # type: ignore[index]
        assert pairs[other].unprotect(sealed) == packet  # type: ignore[index]
        assert pairs[other].unprotect(sealed) is Refusal.REPLAYED  # type: ignore[index]


@pytest.mark.parametrize("suite", SUITES)
def test_one_suite_can_be_insisted_on(suite: str) -> None:
    meeting = Meeting(Link())
    client = meeting.add("client", [suite])
    server = meeting.add("server", list(SUITES))
    meeting.run()
    assert meeting.pairs["client"].suite.name == meeting.pairs["server"].suite.name == suite
    assert client.server_digest() == server.fingerprint()[1]
    assert_keys_fit(meeting.pairs)


@pytest.mark.parametrize("seed", range(10))
def test_the_native_end_sends_again_what_was_lost(seed: int) -> None:
    meeting = Meeting(Link(loss=0.25), seed)
    digest = bytes.fromhex(
        NativeDtls(meeting.clock, "client", bytes(32), print, print).fingerprint()[1].replace(":", "")
    )
    meeting.add_native("client", digest)
    meeting.add_native("server", digest)
    meeting.run()
    assert_keys_fit(meeting.pairs)
