"""How good speech is: the E-model of ITU-T G.107, cut down to what a packet network changes.

R = Ro - Is - Id - Ie,eff + A. Loudness, noise and sidetone keep the defaults of the Recommendation's table 2, so that
``Ro - Is`` is one constant; echo is taken as cancelled, as WebRTC clients do, so that of ``Id`` its two parts remain
that do not ask for talker echo. A is 0.

For Opus no table of G.113 has values. On this narrow-band scale it is taken to do no harm of its own (``Ie`` 0, from
24 kbit/s on), and its robustness against loss (``Bpl``) is 10, as the public rtcscore library of Gustavo Garcia has it
for Opus without in-band FEC; G.113 has 4.3 for G.711 as it is, 19 for G.729A and 25.1 for G.711 with concealment.
"""

from __future__ import annotations

import math

#: Ro with every default of G.107, and Is: the impairments that go with the voice itself.
_SIGNAL_TO_NOISE = 94.7688
_WITH_THE_VOICE = 1.4136
#: Weighted echo path loss, dB: G.107's default.
_ECHO_PATH_LOSS_DB = 110.0
#: A delay under this, one way in ms, harms nobody.
_HARMLESS_DELAY_MS = 100.0

OPUS_IE = 0.0
OPUS_BPL = 10.0
#: Of audio that waits to be sent: half a packet of 20 ms is recorded before its first sample leaves, on the average.
PACKET_MS = 20.0
#: A receiver's buffer holds back so many times the jitter of RFC 3550, and at least one packet.
BUFFER_JITTERS = 2.0
WORST_MOS, BEST_MOS = 1.0, 4.5


def rating(delay_ms: float, loss: float, *, ie: float = OPUS_IE, bpl: float = OPUS_BPL, burst: float = 1.0) -> float:
    """The rating R, 0 to 93.2, of a one-way delay from mouth to ear and a share lost (0 to 1).

    ``burst`` is G.107's BurstR: 1 for loss that falls at random, more when it comes in bursts.
    """
    percent = 100 * min(max(loss, 0.0), 1.0)
    equipment = ie + (95 - ie) * percent / (percent / burst + bpl)
    value = UNDISTURBED - _pure_delay(max(delay_ms, 0.0)) - equipment
    return min(max(value, 0.0), 100.0)


def opinion(r: float) -> float:
    """The mean opinion score of a rating: G.107 annex B, 1 to 4.5."""
    if r <= 0:
        return WORST_MOS
    if r >= 100:
        return BEST_MOS
    return max(WORST_MOS, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def mouth_to_ear_ms(network_ms: float, jitter_ms: float) -> float:
    """One-way delay of speech: packetisation, the network, and the buffer against its jitter."""
    return PACKET_MS + network_ms + max(PACKET_MS, BUFFER_JITTERS * jitter_ms)


def mos(network_ms: float, jitter_ms: float, loss: float) -> float:
    """The score of an Opus stream from what was measured of its packets; ``loss`` is a share after repair."""
    return opinion(rating(mouth_to_ear_ms(network_ms, jitter_ms), loss))


def _pure_delay(delay_ms: float) -> float:
    """Idd: what delay does to a talk even without any echo."""
    if delay_ms <= _HARMLESS_DELAY_MS:
        return 0.0
    x = math.log2(delay_ms / _HARMLESS_DELAY_MS)
    return 25 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


def _listener_echo(round_trip_ms: float) -> float:
    """Idle: echo heard by the listener."""
    level = 10.5 * (_ECHO_PATH_LOSS_DB + 7) * math.pow(round_trip_ms + 1, -0.25)
    half = (_SIGNAL_TO_NOISE - level) / 2
    return half + math.sqrt(half * half + 169)


#: R of a line without delay and loss: 93.2.
UNDISTURBED = _SIGNAL_TO_NOISE - _WITH_THE_VOICE - _listener_echo(0.0)
