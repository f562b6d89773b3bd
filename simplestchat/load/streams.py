"""Who got what of whom: the rooms, the worst streams, and names for what reached the wrong people or went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import Any, Final

from simplestchat.load.evidence import TRACKS, Evidence
from simplestchat.load.messages import StreamResult, UserResult
from simplestchat.load.quality import due, mos
from simplestchat.load.record import RoomRecord
from simplestchat.load.report import RoomReport
from simplestchat.load.words import judged

WORST: Final = 24
NAMED: Final = 5
MAX_FAULT_WORDS: Final = 200


def rooms(evidence: Evidence) -> tuple[RoomReport, ...]:
    """What the users of each room got, by the room's number."""
    users: defaultdict[int, list[UserResult]] = defaultdict(list)
    for user in evidence.users:
        users[user.room].append(user)
    looked_at = {one.room: one for one in evidence.record.rooms}
    return tuple(
        RoomReport(
            room=room,
            users=len(members),
            received_kbytes_per_s=_typical(members, "received_bytes"),
            sent_kbytes_per_s=_typical(members, "sent_bytes"),
            packet_loss=evidence.quality.room_loss(room),
            **(_server_side(looked_at[room]) if room in looked_at else {}),
        )
        for room, members in sorted(users.items())
    )


def _server_side(room: RoomRecord) -> dict[str, float]:
    span_us = room.looks[-1].us - room.looks[0].us
    peers = [peer for peer in room.peers.values() if peer.us]
    if not span_us or not peers:
        return {}
    figures = {
        "server_in_kbytes_per_s": room.looks[-1].bytes_in * 1000 / span_us,
        "server_out_kbytes_per_s": room.looks[-1].bytes_out * 1000 / span_us,
        "server_in_per_participant": median(peer.bytes_in * 1000 / peer.us for peer in peers),
        "server_out_per_participant": median(peer.bytes_out * 1000 / peer.us for peer in peers),
    }
    return {name: round(value, 3) for name, value in figures.items()}


def worst(evidence: Evidence) -> list[dict[str, Any]]:
    """The streams that went worst, the worst first; none that went perfectly."""
    ranked = sorted(evidence.streams, key=_badness, reverse=True)
    return [_told(stream) for stream in ranked[:WORST] if any(_badness(stream))]


def wrongly_delivered(evidence: Evidence) -> list[str]:
    """Sentences that name who got what was corrupt or not for them, and whose it was; the gravest first."""
    sentences = []
    for field, verb in (("misdelivered", "should not have got"), ("corrupt", "got corrupt")):
        guilty = sorted(
            (stream for stream in evidence.streams if stream.totals.get(field)),
            key=lambda stream: -stream.totals[field],
        )
        for stream in guilty[:NAMED]:
            count = stream.totals[field]
            sentences.append(
                f"User {stream.subscriber} {verb} {count} packet{'s' * (count > 1)} of user {stream.publisher}'s "
                f"{TRACKS.get(stream.track, f'track {stream.track}')} (room {stream.room})."
            )
        if len(guilty) > NAMED:
            sentences.append(f"And {len(guilty) - NAMED} more streams with packets that were {field}.")
    return sentences


def faults(evidence: Evidence) -> dict[str, int]:
    """What the oracle and the users found wrong, in words, and how often; the most frequent first."""
    found = Counter(evidence.faults)
    named: Counter[str] = Counter(fault for user in evidence.users for fault in user.faults)
    for words, times in named.items():
        found[words] = max(found[words], times)
    return dict(found.most_common(MAX_FAULT_WORDS))


def named_errors(evidence: Evidence) -> list[str]:
    """Of each kind of error some, with the names of those whom it concerns."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for generator in evidence.record.generators:
        for word, told in generator.finished.details.items() if generator.finished else ():
            if judged(word) != "void":
                found[word] += told
    return [one for _, told in sorted(found.items()) for one in told[:NAMED]]


def _typical(users: list[UserResult], field: str) -> float:
    rates = [getattr(user, field) / user.receiving_s / 1000 for user in users if user.receiving_s > 0]
    return round(median(rates), 3) if rates else 0.0


def _badness(stream: StreamResult) -> tuple[float, ...]:
    totals, packets = stream.totals, due(stream)
    return (
        totals.get("misdelivered", 0),
        totals.get("corrupt", 0),
        totals.get("lost", 0) / packets if packets else float(stream.seconds > 2),
        totals.get("freeze_us", 0),
        totals.get("duplicate", 0),
    )


def _told(stream: StreamResult) -> dict[str, Any]:
    totals, packets = stream.totals, due(stream)
    return {
        "room": stream.room,
        "subscriber": f"user {stream.subscriber}",
        "publisher": f"user {stream.publisher}",
        "track": TRACKS.get(stream.track, str(stream.track)),
        "seconds": round(stream.seconds, 1),
        "loss": totals.get("lost", 0) / packets if packets else None,
        "delivered": totals.get("delivered", 0),
        "lost": totals.get("lost", 0),
        "lost_uplink": totals.get("lost_uplink", 0),
        "repaired": totals.get("repaired", 0),
        "duplicate": totals.get("duplicate", 0),
        "corrupt": totals.get("corrupt", 0),
        "misdelivered": totals.get("misdelivered", 0),
        "freezes": totals.get("freezes", 0),
        "frozen_ms": totals.get("freeze_us", 0) // 1000,
        "mos": mos(stream),
    }
