from __future__ import annotations

import sys

import pytest
import trio

from simplestchat.load import browsers
from simplestchat.load.browsers import BrowserGuests, BrowsersFailed, figures


def test_figures_are_those_of_the_browsers_own_counters() -> None:
    told = {
        "seconds": 10.0,
        "firstFrame": 2000.0,
        "streams": [
            {"kind": "audio", "packetsReceived": 495, "packetsLost": 5, "bytesReceived": 40_000, "jitter": 0.002}
            | {"headerBytesReceived": 10_000, "concealedSamples": 480, "totalSamplesReceived": 48_000},
            {"kind": "video", "packetsReceived": 500, "packetsLost": 0, "bytesReceived": 440_000, "jitter": 0.004}
            | {"headerBytesReceived": 10_000, "framesDecoded": 120, "freezeCount": 1, "totalFreezesDuration": 0.5},
            {"kind": "video", "packetsReceived": 0},
        ],
    }
    found = figures("browser 0", told)
    assert found.name == "browser 0"
    assert (found.frames_decoded, found.frames_per_s) == (120, 15.0)  # in the eight seconds since the first
    assert found.received_kbytes_per_s == 50.0
    assert found.packet_loss == 0.005
    assert found.jitter_ms == pytest.approx(3.0)
    assert (found.freezes, found.freeze_s) == (1, 0.5)
    assert found.first_frame_ms == 2000.0
    assert found.audio_concealed_share == 0.01


def test_a_browser_that_got_nothing_has_figures_too() -> None:
    found = figures("browser 0", {"seconds": 0.0, "firstFrame": 0, "streams": []})
    assert found.packet_loss == found.frames_per_s == found.jitter_ms == found.audio_concealed_share == 0.0


def test_browsers_that_fail_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "python", lambda *_words: [sys.executable, "-c", "raise SystemExit('no display')"])
    with pytest.raises(BrowsersFailed, match="the browsers failed: no display"):
        trio.run(BrowserGuests(1).visit, "http://127.0.0.1:1", "garden", 1.0)
