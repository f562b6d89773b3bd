"""What the structs cannot say of themselves: how figures are reckoned, and when one of them counts as worse."""

from __future__ import annotations

import textwrap

from simplestchat.load.compare import DEFAULT_TOLERANCE
from simplestchat.load.emodel import BUFFER_JITTERS, OPUS_BPL, OPUS_IE, PACKET_MS, UNDISTURBED
from simplestchat.load.resample import CONFIDENCE
from simplestchat.load.summary import SETTLED_US
from simplestchat.load.timeline import US
from simplestchat.load.trend import WINDOW

_WIDTH = 118

_FIGURES = (
    (
        "`connection_success`",
        "joins that were answered, less one for each transport that never connected, by tries to join; "
        "a user who never came to try is a try",
    ),
    (
        "`packet_loss`",
        "packets that never came, by packets that should have come; "
        "`_raw` before retransmissions, `_uplink` those that nobody got",
    ),
    (
        "`errors`",
        "requests refused that should not have been, joins and transports that failed, connections lost, "
        "subscriptions of which nothing came",
    ),
    (
        "`media_latency_ms`",
        "from the moment a packet was due at its publisher to the kernel's receipt at the subscriber, "
        "audio and video together",
    ),
    (
        "`kbytes_per_s_per_participant`",
        "the median over users of what each received, by the time for which it could receive",
    ),
    (
        "`server_mb_per_participant`",
        "what the server's processes grew in resident memory from the start to "
        f"{SETTLED_US // US} s after the ramp, by users",
    ),
    ("`server_cpu_cores`, `packets_per_s`", "means over the hold"),
    (
        "`server_cpu_us_per_packet`",
        "the workers' processor time over the hold, by the media packets that they forwarded",
    ),
    ("`generator_kb_per_user`", "what the generators grew from their first second on, by the users they gained"),
    (
        "`server_objects_left`",
        "the media workers' census at the end: transports, producers, consumers, pipes, addresses, credentials, DTLS "
        "associations, SRTP contexts and sources. A server of the run's own has 2 s to let go of them; places of users "
        "who crashed are kept for longer, and a server that others use holds theirs",
    ),
    (
        "`freeze_share`",
        "time frozen by time watched, over the streams that were kept (a generator keeps its worst ones)",
    ),
    ("`mos`", "the E-model, below, for each audio stream"),
)

_QUALITY = f"""
**Audio quality.** ITU-T G.107 with its defaults: R = {UNDISTURBED:.1f} less the impairments of delay and of loss, and
from R the mean opinion score of its annex B. Mouth to ear is the packet's {PACKET_MS:g} ms, the run's median audio
latency, and a jitter buffer of {BUFFER_JITTERS:g} times the stream's jitter (RFC 3550), at least a packet. Echo is
taken as cancelled. G.113 has no values for Opus: `Ie` is {OPUS_IE:g} and `Bpl` {OPUS_BPL:g}, as the public rtcscore
library (Gustavo Garcia) has it for Opus without FEC. The scale is that of narrow-band telephony, which ends at 4.41;
it tells what the network did to the speech, not how good Opus can sound.
"""

_COMMANDS = f"""
`simplestchat load compare A B` holds two reports, or two folders of them, against each other, scenario by scenario.
`simplestchat load trend DIR` holds the last run of each scenario under a folder against the median of up to {WINDOW}
before it that passed. Both print a table, write a page with `--html FILE`, and exit with 1 when something got worse,
with 2 when there is nothing to compare. Void runs are left out.
"""

_WORSE = f"""
A figure is worse when it changed past the tolerance (`--tolerance`, {DEFAULT_TOLERANCE:g} %), past a floor under which
nobody cares (such as some tenths of a millisecond), and past chance: 1 lies outside the ratio's
{CONFIDENCE * 100:g} % confidence interval. The interval is drawn from whole runs where a side has several, else from
the seconds of the hold in blocks, or, for percentiles of single events such as connecting, from their ranks. Where none
can be drawn the change is `unclear` and no alert. Counts of faults and missed objectives need no such proof: one more
is worse. One run a side knows how much seconds waver and not how much runs do, so put three or more into a folder for
each side.
"""


def figures() -> str:
    """The section on figures."""
    rows = "\n".join(f"| {name} | {how} |" for name, how in _FIGURES)
    return f"## How figures are reckoned\n\n| figure | how |\n|---|---|\n{rows}\n\n{_filled(_QUALITY)}\n"


def comparing() -> str:
    """The section on comparisons and trends."""
    return f"## Comparing runs\n\n{_filled(_COMMANDS)}\n\n{_filled(_WORSE)}\n"


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
