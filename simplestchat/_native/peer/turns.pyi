"""The turns of a swarm: a loop's at the C level, and the same with bytes in virtual time."""

class Turns:
    """A swarm's state, its lock and its turns; made as a Swarm. `now` is in microseconds and never goes back.

    `suites` are the SRTP suites to offer, as OpenSSL names them with colons between; all unless said otherwise.
    """

    def __init__(self, seed: bytes, suites: str = "") -> None: ...
    def feed(self, path: int, data: bytes, now: int) -> None:
        """One datagram from the server, and whatever is due at `now`. Raises MisuseError for an unknown path."""
    def drain(self) -> list[tuple[int, bytes]]:
        """What is to be sent, as (path, datagram), in order."""
    def tick(self, now: int) -> None:
        """Everything that is due."""
    def next_deadline(self) -> int:
        """When tick() wants to be called, in microseconds."""
