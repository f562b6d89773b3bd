"""Wishes of all workers for a producer's layers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simplestchat.media.wishes import Wishes
from simplestchat.model.media import CodecSpec, ProducerSpec, StreamSpec

CODEC = CodecSpec(96, 97, 90000, "vp8", nack=True, pli=True, fir=False)


def camera(encodings: int = 3, spatial_layers: int = 1) -> ProducerSpec:
    streams = tuple(StreamSpec(ssrc=one + 1, spatial_layers=spatial_layers) for one in range(encodings))
    return ProducerSpec(kind="video", mid="", streams=streams, codecs=(CODEC,))


def test_all_is_wanted_until_somebody_says_otherwise() -> None:
    wishes = Wishes(camera())
    assert (wishes.news(), wishes.news_here()) == (None, None)
    wishes.here(0b011)
    assert (wishes.news(), wishes.news()) == (0b011, None)
    wishes.piped("b")
    assert (wishes.news_here(), wishes.news_here()) == (0b111, None)
    assert wishes.news() == 0b111
    wishes.there("b", 0b100)
    wishes.there("never piped there", 0b111)
    wishes.here(0)
    assert (wishes.news_here(), wishes.news()) == (0b100, 0b100)
    wishes.ended("b")
    wishes.there("b", 0b111)
    assert (wishes.news_here(), wishes.news()) == (0, 0)


def test_svc_counts_the_layers_inside() -> None:
    wishes = Wishes(camera(1, 2))
    wishes.here(0xFF)
    assert wishes.news() is None
    wishes.here(0b01)
    assert wishes.news() == 0b01


STEP = st.tuples(st.sampled_from(["here", "there", "piped", "ended"]), st.sampled_from("xyz"), st.integers(0, 15))


@given(st.lists(STEP, max_size=40))
def test_what_was_told_last_is_what_is_wanted(steps: list[tuple[str, str, int]]) -> None:
    wishes, here, there = Wishes(camera()), 0b111, dict[str, int]()
    told, told_here = 0b111, 0
    for step, worker, mask in steps:
        if step == "here":
            here = mask & 0b111
            wishes.here(mask)
        elif step == "there":
            wishes.there(worker, mask)
            if worker in there:
                there[worker] = mask & 0b111
        elif step == "piped" and worker not in there:
            wishes.piped(worker)
            there[worker] = 0b111
        elif step == "ended":
            wishes.ended(worker)
            there.pop(worker, None)
        others = 0
        for one in there.values():
            others |= one
        news, news_here = wishes.news(), wishes.news_here()
        assert news != told
        assert news_here != told_here
        told = told if news is None else news
        told_here = told_here if news_here is None else news_here
        assert (told, told_here) == (here | others, others)
