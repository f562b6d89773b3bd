"""What all streams come to: the same however they are shared out, cut down or merged."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import MadeUpRun, quality_of

from simplestchat.load import emodel
from simplestchat.load.judge import assess
from simplestchat.load.messages import QualityData, StreamResult
from simplestchat.load.presets import TRACK_CAMERA, TRACK_MICROPHONE
from simplestchat.load.quality import Quality, mos, spread_of


def audio(delivered: int = 100, lost: int = 0, latency_ms: float = 10, jitter_ms: float = 1) -> StreamResult:
    totals = {
        "delivered": delivered,
        "lost": lost,
        "latency_us": round(delivered * latency_ms * 1000),
        "jitter_us": round(jitter_ms * 1000),
    }
    return StreamResult(subscriber=0, publisher=1, track=TRACK_MICROPHONE, room=0, seconds=2, totals=totals)


def video(seconds: float, freeze_us: int) -> StreamResult:
    totals = {"delivered": 10, "freeze_us": freeze_us}
    return StreamResult(subscriber=0, publisher=1, track=TRACK_CAMERA, room=0, seconds=seconds, totals=totals)


STREAMS = st.lists(
    st.builds(
        StreamResult,
        subscriber=st.just(0),
        publisher=st.just(1),
        track=st.sampled_from((TRACK_MICROPHONE, TRACK_CAMERA)),
        room=st.integers(0, 3),
        seconds=st.integers(0, 100).map(float),
        totals=st.fixed_dictionaries(
            {
                "delivered": st.integers(0, 1000),
                "lost": st.integers(0, 50),
                "latency_us": st.integers(0, 500_000_000),
                "jitter_us": st.integers(0, 100_000),
                "freeze_us": st.integers(0, 40).map(lambda quarters: quarters * 250_000),
            }
        ),
    ),
    max_size=40,
)


@given(STREAMS, st.integers(1, 5))
def test_generators_tell_together_what_one_would(streams: list[StreamResult], parts: int) -> None:
    merged = Quality()
    for part in range(parts):
        told = quality_of(streams[part::parts]).data()
        merged.merge(msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=QualityData))
    assert merged.data() == quality_of(streams).data()
    assert merged.mos == quality_of(streams).mos
    assert merged.freeze_share == quality_of(streams).freeze_share
    assert sum(merged.due.values()) == sum(one.totals["delivered"] + one.totals["lost"] for one in streams)


@given(st.lists(st.integers(100, 450), min_size=1, max_size=200))
def test_percentiles_of_scores_are_of_their_ranks(values: list[int]) -> None:
    found = spread_of({value: values.count(value) for value in values})
    for share, percentile in ((50, found.p50), (95, found.p95), (99, found.p99)):
        assert 100 * sum(one / 100 <= percentile for one in values) >= share * len(values)
        assert 100 * sum(one / 100 < percentile for one in values) < share * len(values)
    assert (found.max, found.count) == (max(values) / 100, len(values))
    assert found.mean == pytest.approx(sum(values) / len(values) / 100)


def test_a_stream_is_scored_by_its_own_latency_jitter_and_loss() -> None:
    assert mos(audio(80, 20, 250, 30)) == round(emodel.mos(250, 30, 0.2), 2)
    good = mos(audio())
    assert good is not None
    for worse in (audio(latency_ms=400), audio(jitter_ms=200), audio(lost=10)):
        score = mos(worse)
        assert score is not None
        assert score < good - 0.2
    assert mos(audio(0, 100)) == mos(audio(0, 1)), "of what never came no latency is known"
    assert mos(audio(0, 0)) is None
    assert mos(video(1, 0)) is None


def test_frozen_time_is_a_share_of_all_viewing() -> None:
    assert quality_of([video(3, 500_000), video(7, 0), audio()]).freeze_share == 0.05
    assert quality_of([audio()]).freeze_share is None


def test_streams_that_were_cut_off_the_list_count_all_the_same() -> None:
    record = MadeUpRun(clients=20, hold_s=5, loss=0.01).record()
    whole = assess(record)
    cut = tuple(
        msgspec.structs.replace(one, finished=msgspec.structs.replace(one.finished, streams=one.finished.streams[:1]))
        for one in record.generators
        if one.finished
    )
    report = assess(msgspec.structs.replace(record, generators=cut))
    assert report.summary == whole.summary
    assert report.rooms == whole.rooms
    assert whole.summary.mos.count == 20 * 9
    assert len(report.worst_streams) <= 2 < len(whole.worst_streams)
