"""C level only; see the sources of the I/O layer."""

from typing import final

@final
class Channel:
    def __init__(self, fd: int) -> None: ...
