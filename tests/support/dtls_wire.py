"""Two DTLS associations and the wire between them, in virtual time; and the parts that DTLS datagrams are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simplestchat._native.testing.probe_dtls import Dtls, DtlsContext

HANDSHAKE, ALERT, CCS, DATA = 22, 21, 20, 23
RECORD_HEADER, MESSAGE_HEADER = 13, 12

# One context for each side, as two workers would have; making a key takes longer than a handshake.
CLIENT_CONTEXT, SERVER_CONTEXT = DtlsContext(), DtlsContext()


def record(kind: int, body: bytes, *, epoch: int = 0, sequence: int = 0) -> bytes:
    """A DTLS 1.2 record."""
    head = bytes([kind]) + b"\xfe\xfd" + epoch.to_bytes(2, "big") + sequence.to_bytes(6, "big")
    return head + len(body).to_bytes(2, "big") + body


def records(datagram: bytes) -> Iterator[bytes]:
    """The records of a datagram, with their headers."""
    while datagram:
        size = RECORD_HEADER + int.from_bytes(datagram[11:13], "big")
        yield datagram[:size]
        datagram = datagram[size:]


def fragment(message: bytes, start: int, end: int) -> bytes:
    """A record with bytes ``start`` to ``end`` of an unfragmented handshake message's body."""
    head, body = message[:MESSAGE_HEADER], message[MESSAGE_HEADER:]
    part = body[start:end]
    return record(HANDSHAKE, head[:6] + start.to_bytes(3, "big") + len(part).to_bytes(3, "big") + part)


def fragments(message: bytes, count: int) -> list[bytes]:
    """The message in ``count`` records of about the same size."""
    body = len(message) - MESSAGE_HEADER
    cuts = [body * at // count for at in range(count + 1)]
    return [fragment(message, start, end) for start, end in itertools.pairwise(cuts)]


@dataclass(frozen=True)
class Sent:
    """A datagram on the wire."""

    number: int
    now: int
    to_server: bool
    data: bytes


Fate = Callable[[Sent], list[tuple[int, bytes]]]
"""What the wire makes of a datagram: (delay in µs, datagram), any number of them."""


def deliver(sent: Sent) -> list[tuple[int, bytes]]:
    """A perfect wire."""
    return [(0, sent.data)]


class Wire:
    """A client and a server; ``run`` lets virtual time pass until both are connected or nothing happens any more."""

    def __init__(self, fate: Fate = deliver, *, announce: str | None = "sha-256") -> None:
        self.client = Dtls(CLIENT_CONTEXT, "client")
        self.server = Dtls(SERVER_CONTEXT, "server")
        self.now = 0
        self.log: list[Sent] = []
        self._fate = fate
        self._flying: list[tuple[int, int, bool, bytes]] = []
        self._order = itertools.count()
        if announce is not None:
            self.client.set_fingerprint(announce, SERVER_CONTEXT.fingerprint(announce))
            self.server.set_fingerprint(announce, CLIENT_CONTEXT.fingerprint(announce))

    @property
    def connected(self) -> bool:
        """Both ends are."""
        return self.client.state == self.server.state == "connected"

    def collect(self) -> None:
        """Put on the wire what both ends have to send."""
        for end, to_server in ((self.client, True), (self.server, False)):
            for data in end.drain():
                sent = Sent(len(self.log), self.now, to_server, data)
                self.log.append(sent)
                for delay, copy in self._fate(sent):
                    self._flying.append((self.now + delay, next(self._order), to_server, copy))

    def _step(self) -> bool:
        """Go to the next event; False when there is none."""
        self.collect()
        times = [at for at, *_ in self._flying]
        times += [end.deadline for end in (self.client, self.server) if end.deadline is not None]
        if not times:
            return False
        self.now = max(self.now, min(times))
        self._flying.sort()
        while self._flying and self._flying[0][0] <= self.now:
            _, _, to_server, data = self._flying.pop(0)
            (self.server if to_server else self.client).feed(data, self.now)
        for end in (self.client, self.server):
            if end.deadline is not None and end.deadline <= self.now:
                end.tick(self.now)
        return True

    def run(self) -> Wire:
        """Start both ends and go on until they are connected or have failed."""
        self.server.start(self.now)
        self.client.start(self.now)
        while not self.connected and self._step():
            pass
        self.collect()
        return self
