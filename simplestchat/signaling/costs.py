"""Which requests everybody in a room hears of, and can be made to hear of again and again.

Rules:

- Unmuting, publishing and joining cost nothing more than other requests: many people come at once.
- What undoes them pays for both: a mute, a closed producer or transport, a leave.
- It is never refused for that, because a mute has to pass; who goes on too fast is refused the next unmuting.
"""

from __future__ import annotations

from simplestchat.signaling import requests
from simplestchat.signaling.state import Peer


def undone(peer: Peer, method: str, params: object) -> int:
    """How much of what everybody was told of a peer this request takes back."""
    if isinstance(params, requests.ProducerRef):
        producer = peer.producers.get(params.producer_id)
        if producer is None:
            return 0
        return int(method == "producer.close" or (method == "producer.pause" and not producer.paused))
    if method == "transport.close" and isinstance(params, requests.TransportRef):
        transport = peer.transports.get(params.transport_id)
        return len(transport.producers) if transport is not None else 0
    return int(method == "room.leave")
