"""A generator whose machine has no sockets left says so and ends, instead of going on without media."""

from __future__ import annotations

import pytest
import trio
from support.live_call import no_files_left, plain_server

from simplestchat.load.media import Media


def test_a_crowd_without_sockets_ends_the_generator() -> None:
    errors: list[Exception] = []
    media = Media(b"media", errors.append)
    states: list[str] = []
    media.listen(1, lambda state, ice, dtls: states.append(state))

    async def run() -> None:
        with trio.fail_after(30):
            await media.run()

    with plain_server() as server:

        async def all_at_once() -> None:
            media.start()
            with no_files_left():
                media.swarm.add_path(1, 1, server.getsockname(), "stub", "p" * 22, media.swarm.fingerprint, 1)
                await run()

        with pytest.raises(OSError, match="no socket for a path"):
            trio.run(all_at_once)
    media.stop()
    assert states == ["failed"]
    assert errors == []
