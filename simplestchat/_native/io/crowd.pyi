"""The load generator's loop: a socket for every path of a swarm, without the GIL."""

from typing import Any, final

from simplestchat._native.peer.swarm import Swarm

@final
class Crowd:
    """Runs a swarm on this machine's clock and sockets. Raises OSError when sockets cannot be had.

    Make it, start `run` in a thread of its own, call the swarm's methods from another thread, read events
    when `event_fd` is readable. `bind` is the address of the sockets (paths to a server of the other family
    have the system's choice), `receive_buffer` their SO_RCVBUF in bytes, 0 for the system's default.
    """

    def __init__(self, seed: bytes, *, bind: str = "127.0.0.1", receive_buffer: int = 0) -> None: ...
    @property
    def swarm(self) -> Swarm: ...
    @property
    def event_fd(self) -> int:
        """An eventfd that becomes readable when there are events; read it (8 bytes), then take_events()."""
    def run(self) -> None:
        """Returns after stop(). Holds no GIL. Once only; raises OSError when the machine has no more sockets
        to give (open files, memory), for then the load is not what was asked for.
        """
    def stop(self) -> None:
        """Before run() or while it runs, from any thread. What is queued (a goodbye) is still sent."""
    def now(self) -> int:
        """Microseconds of CLOCK_MONOTONIC: the clock of all stamps."""
    def set_epoch(self, epoch: int) -> None:
        """Stamps carry times since this moment of `now`, which all machines of a run agree on. Of the process.
        It may move while media runs, as clocks drift: by far less than what is measured.
        """
    def totals(self) -> dict[str, Any]:
        """sockets (open now), turns, receive_calls, send_calls, receive_drops (SO_RXQ_OVFL), send_failures
        (datagrams that the kernel would not take), refused (ICMP errors), busy_us (time not spent waiting),
        cpu_us (of the loop's thread).
        """
