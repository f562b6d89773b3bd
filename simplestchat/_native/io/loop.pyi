from collections.abc import Callable
from typing import final

from simplestchat._native.engine.shard import Shard

@final
class Loop:
    def __init__(
        self,
        control_fd: int,
        port: int,
        shard: Shard,
        *,
        handle: Callable[[bytes], bytes],
        encode_events: Callable[[list[tuple[object, ...]]], list[bytes]],
        offload: bool = True,
    ) -> None: ...
    @property
    def port(self) -> int: ...
    @property
    def shard(self) -> Shard: ...
    def forwarding(self) -> tuple[list[int], list[int], int]: ...
    def send(self, body: bytes) -> None: ...
    def run(self) -> None: ...
