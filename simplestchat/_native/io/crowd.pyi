"""The load generator's loop: a socket for every path of a swarm, without the GIL."""

from typing import Any, final

from simplestchat._native.peer.swarm import Swarm

@final
class Crowd:
    """Runs a swarm on this machine's clock and sockets. Raises OSError when sockets cannot be had.

    Make it, start `run` in a thread of its own, call the swarm's methods from another thread, read events
    when `event_fd` is readable.
    """

    def __init__(self, seed: bytes, *, bind: str = "127.0.0.1", receive_buffer: int = 0) -> None: ...
    @property
    def swarm(self) -> Swarm: ...
    @property
    def event_fd(self) -> int:
        """An eventfd that becomes readable when there are events; read it (8 bytes), then take_events()."""
    def run(self) -> None:
        """Returns after stop(). Holds no GIL."""
    def stop(self) -> None: ...
    def now(self) -> int:
        """Microseconds of CLOCK_MONOTONIC: the clock of all stamps."""
    def totals(self) -> dict[str, Any]:
        """sockets, turns, receive_calls, send_calls, receive_drops (SO_RXQ_OVFL), send_failures, busy_us
        (time not spent waiting).
        """
