"""Transport-wide feedback: arrival times come back to a tick, whatever mixture of chunks they need."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing import probe_rtcp as probe

TICK_US = 250
WRAP_US = 64_000 << 24
STEP = st.one_of(
    st.none(),
    st.sampled_from([0, 250, 1000, 63_750, 64_000, -250, -30_000, 8_000_000, -8_000_000]),
    st.integers(-20_000, 200_000),
)


def arrivals_of(start: int, steps: list[int | None]) -> list[int | None]:
    now, arrivals = start, []
    for step in steps:
        now += step or 0
        arrivals.append(None if step is None else now)
    return arrivals


def read(data: bytes) -> dict[str, Any]:
    (found,) = probe.rtcp_parse(data)
    return found


def same_but_for_ticks(sent: list[int | None], found: list[int | None]) -> bool:
    """Whether both tell of the same packets, at most half a tick apart after taking off whole turns of the clock."""
    if [arrival is None for arrival in sent] != [arrival is None for arrival in found]:
        return False
    differences = {
        abs((ours - theirs + WRAP_US // 2) % WRAP_US - WRAP_US // 2)
        for ours, theirs in zip(sent, found, strict=True)
        if ours is not None and theirs is not None
    }
    return max(differences) <= TICK_US // 2


@given(
    start=st.integers(-(10**14), 10**14),
    runs=st.lists(st.tuples(STEP, st.integers(1, 30)), min_size=1, max_size=12),
    base=st.integers(0, 65535),
    count=st.integers(0, 255),
)
def test_arrivals_come_back(start: int, runs: list[tuple[int | None, int]], base: int, count: int) -> None:
    arrivals = arrivals_of(start, [step for step, times in runs for _ in range(times)])
    if all(arrival is None for arrival in arrivals):
        with pytest.raises(MisuseError):
            probe.rtcp_twcc(1, 2, count, base, arrivals)
        return
    data = probe.rtcp_twcc(1, 2, count, base, arrivals)
    found = read(data)
    assert same_but_for_ticks(arrivals, found["arrivals"])
    assert (found["base_seq"], found["feedback_count"], found["count"]) == (base, count, len(arrivals))
    assert (found["sender_ssrc"], found["media_ssrc"], found["size"]) == (1, 2, len(data))


@pytest.mark.parametrize(
    ("steps", "chunks"),
    [
        ([250] * 14, "200e"),  # a run of small deltas
        ([0, *[None] * 20], "a0000007"),  # a vector of 14 packets, then a run of 7 lost ones
        ([0, None] * 7, "aaaa"),  # one bit each
        ([0, None, 100_000, None, -250, 0, 0], "d225"),  # two bits each
        ([100_000] * 8191, None),
    ],
)
def test_chunks(steps: list[int | None], chunks: str | None) -> None:
    if chunks is None:
        with pytest.raises(MisuseError):  # more than one feedback may tell about
            probe.rtcp_twcc(1, 2, 3, 4, arrivals_of(0, steps))
        return
    data = probe.rtcp_twcc(1, 2, 3, 4, arrivals_of(64_000, steps))
    assert data[20:].hex().startswith(chunks)


@pytest.mark.parametrize("count", [1, 7, 8, 13, 14, 15, 1024])
@pytest.mark.parametrize("step", [250, 100_000])
def test_runs_are_one_chunk(count: int, step: int) -> None:
    # The first delta counts from the reference time, so a start one step after a multiple of it gives equal deltas.
    arrivals = [64_000 * 10 + step * (index + 1) for index in range(count)]
    data = probe.rtcp_twcc(1, 2, 3, 4, arrivals, cap=4000)
    found = read(data)
    assert found["arrivals"] == arrivals
    if step == 250:
        assert len(data) == (20 + 2 + count + 3) // 4 * 4


def test_deltas_that_the_format_cannot_say() -> None:
    probe.rtcp_twcc(1, 2, 3, 4, [0, 0x7FFF * TICK_US])
    with pytest.raises(MisuseError):
        probe.rtcp_twcc(1, 2, 3, 4, [0, 0x8000 * TICK_US])
    with pytest.raises(MisuseError):
        probe.rtcp_twcc(1, 2, 3, 4, [0x9000 * TICK_US, 0])


def test_no_packets() -> None:
    with pytest.raises(MisuseError):
        probe.rtcp_twcc(1, 2, 3, 4, [])


def feedback(count: int, rest: bytes, base: int = 5, reference: bytes = b"\x00\x00\x01") -> bytes:
    body = pack("!IIHH", 1, 2, base, count) + reference + b"\x09" + rest
    body += bytes(-len(body) % 4)
    return pack("!BBH", 0x8F, 205, len(body) // 4) + body


def test_a_vector_tells_about_no_more_than_the_count() -> None:
    found = read(feedback(2, bytes.fromhex("bfff0408")))
    assert found["arrivals"] == [65_000, 67_000]


def test_a_negative_reference() -> None:
    assert read(feedback(1, bytes.fromhex("200100"), reference=b"\xff\xff\xff"))["arrivals"] == [-64_000]


def test_an_empty_run_says_nothing() -> None:
    assert read(feedback(1, bytes.fromhex("0000200104")))["arrivals"] == [65_000]


@pytest.mark.parametrize(
    ("count", "rest"),
    [
        (0, "200104"),  # about no packet
        (1, "60010000"),  # a run of the reserved symbol
        (3, "d7000000"),  # the reserved symbol in a vector
        (20, "bfff"),  # a chunk is missing
        (3, "200304"),  # deltas are missing
        (2, "40020001"),  # half of a large one too
        (1025, "2401"),  # about more than we keep
        (65535, "3fff3fff"),
    ],
)
def test_impossible_feedback(count: int, rest: str) -> None:
    with pytest.raises(PeerError):
        probe.rtcp_parse(feedback(count, bytes.fromhex(rest)))


def test_feedback_without_its_head() -> None:
    for size in range(8, 16, 4):
        with pytest.raises(PeerError):
            probe.rtcp_parse(pack("!BBH", 0x8F, 205, size // 4) + bytes(size))


def test_padding_as_browsers_write_it() -> None:
    # Three bytes of padding, announced by the P bit.
    data = feedback(1, bytes.fromhex("2001040000000003"))
    assert read(bytes([data[0] | 0x20]) + data[1:])["arrivals"] == [65_000]
