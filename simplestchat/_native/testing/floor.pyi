"""The least that forwarding could cost: a bare loop that seals and sends in GSO trains."""

from typing import final

@final
class Floor:
    """Sends packets of `payload` bytes to IPv4 `receivers`, each (host, port), from a socket of its own.

    Its methods hold no GIL and measure their own thread. Raises OSError when the kernel does not take a message,
    ValueError for a burst that no train can hold.
    """

    receivers: int
    payload: int
    port: int
    def __init__(self, receivers: list[tuple[str, int]], payload: int = 1100) -> None: ...
    def saturated(self, burst: int, rounds: int) -> float:
        """CPU ns a packet of `rounds` bursts of `burst` packets for each receiver, without a pause."""
    def sealed(self, burst: int, rounds: int) -> float:
        """CPU ns a packet of sealing as many, without sending them."""
    def paced(self, rate: float, burst: float, seconds: float) -> tuple[float, int, list[int]]:
        """(CPU ns a packet, packets to each receiver, ns that each burst took) of `rate` packets/s for each
        receiver, in bursts that are evenly spaced, asleep between them. A burst of 28/3 packets has 9, 9 and 10.
        """
    def close(self) -> None: ...
