"""Many receivers for one thread: paths that connect as any, and whose media is mostly only counted."""

from typing import final

from simplestchat._native.peer.swarm import HistogramData, Swarm
from simplestchat._native.testing.publisher import Publisher

@final
class Sink:
    """The loop of a swarm of its own. Run it in a thread, call the other methods from another one.

    `receive_buffer` is the sockets' SO_RCVBUF, `trains` has the kernel hand over what came as a train in one piece,
    `bind` is the sockets' address. `suites` are the SRTP suites that are offered, as OpenSSL names them; all that we
    have when empty.
    """

    def __init__(
        self,
        seed: bytes,
        *,
        receive_buffer: int = 1048576,
        trains: bool = False,
        bind: str = "127.0.0.1",
        suites: str = "",
    ) -> None: ...
    @property
    def swarm(self) -> Swarm: ...
    def add(self, path: int, *, ssrc: int = 0, media: bool = True, checked: bool = False) -> None:
        """Reads a path of the swarm from now on. Media is what has this SSRC (0: any); with `checked` all of it goes
        to the swarm, and all of a path without `media`. Raises MisuseError for an unknown path.
        """
    def anchor(self, publisher: Publisher) -> None:
        """The last packet of every receiver is the publisher's last one: from now on latency is measured."""
    def begin(self, patience_us: int = 30000) -> None:
        """Counts anew. Packets that the kernel gets later than that after the end of the publisher's run count as late;
        needs `anchor`.
        """
    def turn_to(self, port: int) -> None:
        """Connects the sockets of all receivers of media with this port of 127.0.0.1. Raises OSError."""
    def descriptors(self) -> list[int]:
        """The sockets of the receivers of media, in the order of `add`; -1 for none yet."""
    def counts(self) -> list[tuple[int, int, int, int, int, int]]:
        """Of each receiver of media, in the order of `add`: packets in time, packets that were late, packets that
        were not the next in the row, packets of another SSRC, datagrams that were cut, and what the kernel dropped
        because the socket's buffer was full; all since `begin`.
        """
    def take_latency(self) -> HistogramData:
        """Microseconds from a packet's leaving (the wall clock before its burst was sent) to the kernel's time of its
        arrival, of all receivers' packets since `begin` or the last call. Needs `anchor`.
        """
    def run(self) -> None:
        """Returns after stop(). Holds no GIL."""
    def stop(self) -> None: ...
