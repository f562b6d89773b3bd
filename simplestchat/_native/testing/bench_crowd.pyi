from typing import final

from simplestchat._native.peer.swarm import Swarm

VIDEO_PT: int
FIRST_SSRC: int
PUBLISHER: int
CAMERA: int

def connect_directly(swarm: Swarm, path: int) -> None: ...
def local_port(swarm: Swarm, path: int) -> int: ...

@final
class Stub:
    sent: int
    def __init__(self, fd: int, ports: list[int], payload: int = 1100, parts: int = 4) -> None: ...
    def run(self, seconds: float, packets_per_second: float) -> int: ...
