"""How good what users received was, over all streams: sums and counts that add up, whatever was kept of the streams.

Rules:
 - A stream is counted once, when it is counted for good, from its own totals; nothing else of it is needed.
 - Its score is the E-model's for its own mean latency, its own jitter, and its own loss after repair. Scores are
   counted in hundredths, so percentiles of many generators' streams are those of all streams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from simplestchat.load import emodel
from simplestchat.load.messages import QualityData, StreamResult
from simplestchat.load.presets import TRACK_MICROPHONE
from simplestchat.load.report import NOTHING, Spread

HUNDREDTHS = 100
_US = 1_000_000


class Quality:
    """What many streams come to together."""

    def __init__(self) -> None:
        self.viewing_s = 0.0
        self.frozen_s = 0.0
        self.scores: Counter[int] = Counter()
        """MOS in hundredths to how many audio streams had it."""
        self.lost: Counter[int] = Counter()
        """By room."""
        self.due: Counter[int] = Counter()
        self.audio = [0, 0, 0]
        """Packets of audio that were lost after repair, that were due, and that the server left out beside these."""

    def add(self, stream: StreamResult) -> None:
        """Count a stream."""
        self.lost[stream.room] += stream.totals.get("lost", 0)
        self.due[stream.room] += due(stream)
        if stream.track == TRACK_MICROPHONE:
            self.audio[0] += stream.totals.get("lost", 0)
            self.audio[1] += due(stream)
            self.audio[2] += stream.totals.get("withheld", 0)
        if stream.track != TRACK_MICROPHONE:
            self.viewing_s += stream.seconds
            self.frozen_s += stream.totals.get("freeze_us", 0) / _US
        elif (score := mos(stream)) is not None:
            self.scores[round(score * HUNDREDTHS)] += 1

    def merge(self, data: QualityData) -> None:
        """Add what another generator counted."""
        self.viewing_s += data.viewing_s
        self.frozen_s += data.frozen_s
        self.scores.update(data.scores)
        for room, (lost, all_due) in data.rooms.items():
            self.lost[room] += lost
            self.due[room] += all_due
        for place, number in enumerate(data.audio):
            self.audio[place] += number

    def data(self) -> QualityData:
        """For a message."""
        rooms = {room: (self.lost[room], all_due) for room, all_due in self.due.items()}
        lost, audio_due, withheld = self.audio
        return QualityData(
            viewing_s=self.viewing_s,
            frozen_s=self.frozen_s,
            scores=dict(self.scores),
            rooms=rooms,
            audio=(lost, audio_due, withheld),
        )

    @property
    def audio_loss(self) -> float | None:
        """Of all audio, after repair; None when none was due."""
        return self.audio[0] / self.audio[1] if self.audio[1] else None

    @property
    def audio_withheld(self) -> float | None:
        """What the server left out of all audio; None when there was none."""
        _, audio_due, withheld = self.audio
        return withheld / (audio_due + withheld) if audio_due + withheld else None

    @property
    def freeze_share(self) -> float | None:
        """Of all viewing time; None when nobody looked at anything."""
        return min(1.0, self.frozen_s / self.viewing_s) if self.viewing_s > 0 else None

    @property
    def mos(self) -> Spread:
        """Of all audio streams."""
        return spread_of(self.scores)

    def room_loss(self, room: int) -> float:
        """The share of what was due in a room that never came."""
        return self.lost[room] / self.due[room] if self.due[room] else 0.0


def due(stream: StreamResult) -> int:
    """How many packets should have come."""
    return stream.totals.get("delivered", 0) + stream.totals.get("lost", 0)


def mos(stream: StreamResult) -> float | None:
    """The score of one audio stream, to a hundredth; None for other streams and for one of which nothing was due."""
    packets = due(stream)
    if stream.track != TRACK_MICROPHONE or not packets:
        return None
    delivered = stream.totals.get("delivered", 0)
    latency_ms = stream.totals.get("latency_us", 0) / delivered / 1000 if delivered else 0.0
    jitter_ms = stream.totals.get("jitter_us", 0) / 1000
    return round(emodel.mos(latency_ms, jitter_ms, stream.totals.get("lost", 0) / packets), 2)


def spread_of(scores: Mapping[int, int]) -> Spread:
    """Percentiles of values in hundredths, with how often each was had: the nearest rank of each share."""
    count = sum(scores.values())
    if not count:
        return NOTHING
    ranked = sorted(scores.items())
    total = sum(value * number for value, number in ranked)
    p50, p95, p99 = (_ranked(ranked, -(-share * count // 100)) / HUNDREDTHS for share in (50, 95, 99))
    mean = total / count / HUNDREDTHS
    return Spread(p50=p50, p95=p95, p99=p99, max=ranked[-1][0] / HUNDREDTHS, mean=mean, count=count)


def _ranked(ranked: list[tuple[int, int]], rank: int) -> int:
    for value, number in ranked:
        rank -= number
        if rank <= 0:
            return value
    return ranked[-1][0]
