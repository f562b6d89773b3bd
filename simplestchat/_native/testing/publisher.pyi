"""One published video stream that is paced exactly."""

from typing import final

from simplestchat._native.peer.swarm import Swarm

#: Whose stamps the packets carry, and of which of the user's tracks.
USER: int
TRACK: int

@final
class Publisher:
    """Publishes VP8 of `payload` bytes a packet on a swarm's path that is connected. Raises MisuseError when it is not.

    The path stays the swarm's and must outlive this object, but its keys are in use here: nothing else is sent on it
    than checks of consent. It answers no request for a keyframe or a lost packet.
    """

    index: int  # of the next packet; its low 16 bits are the RTP sequence number
    def __init__(self, swarm: Swarm, path: int, ssrc: int, payload_type: int, payload: int = 1100) -> None: ...
    def run(self, rate: float, burst: float, seconds: float) -> tuple[int, int]:
        """Sends `rate` packets/s in bursts of `burst` that are evenly spaced, each a frame, the first a keyframe.
        Holds no GIL. Returns (packets sent, how late the latest burst left in microseconds). Raises OSError when a
        packet did not leave. A burst of 28/3 packets has 9, 9 and 10.
        """
