"""Workers are told what encrypts media, and tell what does; a server that asks for what is not there does not start."""

from __future__ import annotations

import pytest
import trio
from support.media_stage import Stage, running

from simplestchat.config import Media, Settings
from simplestchat.errors import ConfigError
from simplestchat.media import ciphers, service
from simplestchat.server.node import Node


@pytest.mark.parametrize(("wanted", "used"), [("openssl", "openssl"), ("auto", None)])
def test_a_worker_tells_what_it_was_told(monkeypatch: pytest.MonkeyPatch, wanted: str, used: str | None) -> None:
    monkeypatch.setattr(service, "REFRESH_TIMEOUT_S", 30)

    async def main() -> None:
        with trio.fail_after(60):
            async with running(srtp_backend=wanted) as stage:
                await told(stage)

    async def told(stage: Stage) -> None:
        await stage.service.refresh_readings()
        (reading,) = stage.service.readings().values()
        there = "openssl" if ciphers.ipsec_mb_problem() else "ipsec-mb"
        assert set(reading.ciphers.values()) == {used or there}
        assert len(reading.ciphers) == 3

    trio.run(main)


def test_a_server_that_asks_for_what_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ciphers, "ipsec_mb_problem", lambda: "it is not installed")
    settings = Settings(media=Media(srtp_backend="ipsec-mb"), given={"srtp_backend": "SIMPLESTCHAT_SRTP_BACKEND"})

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await Node(settings)._start_media(nursery)

    with pytest.raises(BaseExceptionGroup) as raised:
        trio.run(main)
    assert raised.group_contains(ConfigError, match=r"^SIMPLESTCHAT_SRTP_BACKEND: .*it is not installed.*openssl")
