"""A loop without sockets for a swarm (see ``_native/testing/probe_swarm.pyx``)."""

from simplestchat._native.peer.swarm import Swarm

class Turner:
    turns: int
    wakes: int
    wanted: int
    gone: int
    datagrams: int
    def __init__(self, swarm: Swarm) -> None: ...
    def stop(self) -> None: ...
    def run(self) -> None: ...
