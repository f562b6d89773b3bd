"""Feedback and scripts that an estimator lives through."""

from __future__ import annotations

import struct

from simplestchat._native.testing import probe_rtcp as rtcp


def _script(*steps: tuple[int, int]) -> bytes:
    return b"".join(struct.pack(">BI", what, argument) for what, argument in steps)


_SENDS = [(0, 1200 << 16 | 5_000)] * 40
_TOLD = (4, 0x3FFF << 14 | 40 << 8 | 40)

CORPUS: dict[str, list[bytes]] = {
    "bwe-feedback": [
        rtcp.rtcp_twcc(1, 2, 3, 0, [1_000_000 + 1000 * i for i in range(100)]),
        rtcp.rtcp_twcc(1, 2, 4, 10, [None, 5_000, None, 90_000, 89_000, *[None] * 40, 100_000]),
        rtcp.rtcp_twcc(1, 2, 5, 0, [-64_000 * 3 + 70_000 * i for i in range(9)]),
    ],
    "bwe-script": [
        _script(*_SENDS, _TOLD, *_SENDS, _TOLD, (12, 3_000_000), (15, 0)),
        _script((11, 5_000_000), *_SENDS, _TOLD, *[(14, 0)] * 20, _TOLD, (12, 500_000)),
        _script((8, 500_000), (9, 30), (10, 50_000), (9, 200), (13, 1000), (9, 0)),
    ],
}
