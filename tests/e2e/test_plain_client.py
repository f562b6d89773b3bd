"""A client written from the protocol's document alone publishes one plain VP8 stream and receives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.launch import serve
from support.plain_call import plain_call
from support.plain_transport import SUITES
from support.process import ServerProcess

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serve(Path(tmp_path_factory.mktemp("server"))) as process:
        yield process


@pytest.mark.parametrize("receiving", list(SUITES))
@pytest.mark.parametrize("sending", list(SUITES))
def test_one_stream_arrives_as_it_was_sent(server: ServerProcess, sending: str, receiving: str) -> None:
    with ExitStack() as stack:
        plain_call(stack, server.url, sending, receiving).carry()
