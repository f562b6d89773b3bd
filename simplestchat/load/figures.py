"""Which figures are followed from run to run, and what of a report tells how much each of them wavers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from simplestchat.load.history import Better
from simplestchat.load.objectives import as_float
from simplestchat.load.report import HistogramReport, Report
from simplestchat.load.timeline import ratio

Curve = Callable[[Report], list[float | None]]


class Figure(NamedTuple):
    """One figure of a report."""

    name: str
    title: str
    unit: str
    value: Callable[[Report], float | None]
    floor: float = 0.0
    """A change of less is none, whatever its ratio: a tenth of a millisecond is nobody's concern."""
    better: Better = "lower"
    seconds: Curve | None = None
    """Where the figure is the mean of what each second of the hold says: those seconds."""
    events: str = ""
    """Where it is the 95th percentile of single events: the histogram that counts them."""
    share: float = 0.0
    """A change of a smaller share is none: how finely the figure was searched for."""
    exact: bool = False
    """A count of faults: any change is one, and chance explains none."""


def _summary(name: str) -> Callable[[Report], float | None]:
    return lambda report: as_float(getattr(report.summary, name))


def _spread(name: str, field: str) -> Callable[[Report], float | None]:
    return lambda report: as_float(getattr(getattr(report.summary, name), field))


def _series(*names: str) -> Curve:
    """The first of these curves that a report has."""

    def curve(report: Report) -> list[float | None]:
        known = {one.name: one.values for one in report.series}
        return next((known[name] for name in names if name in known), [])

    return curve


def _per_packet(report: Report) -> list[float | None]:
    """Microseconds of the workers' time for each packet forwarded."""
    known = {one.name: one.values for one in report.series}
    workers = [values for name, values in known.items() if name.startswith("cpu_worker_")]
    if not workers or "server_packets_forwarded" not in known:
        return []
    busy = [sum(one or 0.0 for one in column) * 1e6 for column in zip(*workers, strict=True)]
    return ratio(list(busy), known["server_packets_forwarded"])


def hold(report: Report, curve: Sequence[float | None]) -> list[float]:
    """What a curve says of the seconds that lie wholly in the hold."""
    begun = dict(report.phases)
    low = begun.get("hold", 0.0)
    high = begun.get("settle", report.duration_s)
    width = report.seconds[1] - report.seconds[0] if len(report.seconds) > 1 else 1.0
    pairs = zip(report.seconds, curve, strict=False)
    return [value for second, value in pairs if value is not None and low <= second and second + width <= high + 0.1]


def _mean_of(curve: Curve) -> Callable[[Report], float | None]:
    def value(report: Report) -> float | None:
        seconds = hold(report, curve(report))
        return sum(seconds) / len(seconds) if seconds else None

    return value


def _by_the_second(name: str, title: str, unit: str, curve: Curve, floor: float) -> Figure:
    return Figure(name, title, unit, _mean_of(curve), floor, seconds=curve)


def _carried(report: Report) -> float | None:
    return float(report.capacity.highest_good) if report.capacity else None


#: What a capacity search is about. Its other figures are of another size each time.
CARRIED: Final = Figure("carried", "Carried", "", _carried, better="higher", share=0.15, exact=True)


def figures_of(report: Report) -> tuple[Figure, ...]:
    """The figures of a report that can be held against others of its scenario."""
    return (CARRIED,) if report.capacity else FIGURES


def size_of(report: Report) -> int:
    """How many users a report's scenario has; 0 for a search, which has another number each time."""
    return 0 if report.capacity else report.summary.clients


def title_of(report: Report) -> str:
    """The scenario and its size, in words."""
    return report.title if report.capacity else f"{report.title}, {report.summary.clients} users"


def events(report: Report, name: str) -> HistogramReport | None:
    """The histogram of a report that counts these events."""
    return next((one for one in report.histograms if one.name == name), None)


FIGURES: Final = (
    Figure(
        "connection_success", "Users connected", "share", _summary("connection_success"), 0.0005, "higher", exact=True
    ),
    Figure("corrupt", "Corrupt packets", "count", _summary("corrupt"), exact=True),
    Figure("misdelivered", "Misdelivered packets", "count", _summary("misdelivered"), exact=True),
    Figure("errors", "Errors", "count", _summary("errors"), exact=True),
    Figure("chat_lost", "Chat messages lost", "count", _summary("chat_lost"), exact=True),
    _by_the_second("packet_loss", "Packets lost after repair", "share", _series("loss_lost"), 0.0005),
    _by_the_second("packet_loss_raw", "Packets lost before repair", "share", _series("loss_missed"), 0.001),
    _by_the_second("audio_latency_p50", "Audio latency, median", "ms", _series("latency_audio_p50"), 0.3),
    _by_the_second("audio_latency_p99", "Audio latency, p99", "ms", _series("latency_audio_p99"), 1.0),
    _by_the_second("video_latency_p50", "Video latency, median", "ms", _series("latency_video_p50"), 0.3),
    _by_the_second("video_latency_p99", "Video latency, p99", "ms", _series("latency_video_p99"), 1.0),
    _by_the_second("forward_p99", "Forwarding in the server, p99", "ms", _series("server_forward_latency_p99"), 0.3),
    _by_the_second("signaling_p50", "Signaling, median", "ms", _series("signaling_p50"), 0.5),
    _by_the_second("signaling_p99", "Signaling, p99", "ms", _series("signaling_p99"), 2.0),
    Figure("connect_p95", "All transports connected, p95", "ms", _spread("connect_ms", "p95"), 5.0, events="ready"),
    Figure(
        "first_frame_p95", "First keyframe, p95", "ms", _spread("first_frame_ms", "p95"), 10.0, events="first_frame"
    ),
    Figure("reconnect_p95", "Coming back, p95", "ms", _spread("reconnect_ms", "p95"), 10.0, events="reconnect"),
    Figure("mos", "Audio quality, median", "MOS", _spread("mos", "p50"), 0.03, "higher"),
    Figure("freeze_share", "Viewing time frozen", "share", _summary("freeze_share"), 0.001),
    _by_the_second("server_cpu", "Server CPU", "cores", _series("server_cpu"), 0.01),
    _by_the_second("server_cpu_us_per_packet", "Workers' CPU by packet", "µs", _per_packet, 0.05),
    Figure(
        "server_mb_per_participant", "Server memory by participant", "MB", _summary("server_mb_per_participant"), 0.05
    ),
    Figure("kbytes_per_s", "Received by a participant", "kB/s", _summary("kbytes_per_s_per_participant"), 2.0),
)
