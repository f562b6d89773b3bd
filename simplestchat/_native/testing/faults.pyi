from typing import final

from simplestchat._native.engine.shard import Shard

FAULTS: tuple[str, ...]

@final
class FaultyShard(Shard):
    def begin(self, fault: str, every: int) -> None: ...
    @property
    def committed(self) -> int: ...
