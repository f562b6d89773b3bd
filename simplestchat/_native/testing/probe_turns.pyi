"""A shard that tells what each of its turns at handshakes did."""

from typing import final

from simplestchat._native.engine.shard import Shard

@final
class TurnsShard(Shard):
    def take_turns(self) -> list[tuple[int, int]]: ...
