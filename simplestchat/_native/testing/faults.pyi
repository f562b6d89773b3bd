from typing import final

from simplestchat._native.engine.shard import Shard

FAULTS: tuple[str, ...]

@final
class FaultyShard(Shard):
    def __init__(self, seed: int, fault: str, every: int) -> None: ...
    @property
    def committed(self) -> int: ...
