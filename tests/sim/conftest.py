"""Every simulated call runs with the seal check on: no key, SSRC and index may seal two packets, RTCP included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simplestchat._native.testing.probe_crypto import taint_repeats, taint_switch


@pytest.fixture(autouse=True)
def _no_index_twice() -> Iterator[None]:
    taint_switch(True)
    yield
    repeats = taint_repeats()
    taint_switch(False)
    assert repeats == 0
