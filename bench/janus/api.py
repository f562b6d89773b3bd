"""Janus's own API over one WebSocket: a session, and a handle of the video room plugin for each transport.

Every request waits for its answer; what Janus tells unasked (media began, a transport is up) is passed over.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from websockets.sync.client import unix_connect

ANSWER_S = 30.0
CLOSE_S = 1.0  # Janus does not answer a goodbye
PLUGIN = "janus.plugin.videoroom"

Message = dict[str, Any]


class Refused(Exception):
    """Janus answered with an error."""


class Session:
    """A connection with one session. Janus drops its handles when it closes."""

    def __init__(self, api: Path) -> None:
        self._connection = unix_connect(
            str(api),
            "ws://localhost/",
            subprotocols=["janus-protocol"],
            compression=None,
            ping_interval=None,  # nobody reads while media is measured
            close_timeout=CLOSE_S,
        )
        self._transactions = map(str, itertools.count(1))
        self._session = self._request({"janus": "create"})["data"]["id"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def attach(self) -> Handle:
        return Handle(self, self.ask({"janus": "attach", "plugin": PLUGIN})["data"]["id"])

    def ask(self, message: Message) -> Message:
        """A request within the session. Raises ``Refused``."""
        return self._request(message | {"session_id": self._session})

    def _request(self, message: Message) -> Message:
        """Send, and wait for what is more than an acknowledgement."""
        transaction = next(self._transactions)
        self._connection.send(msgspec.json.encode(message | {"transaction": transaction}).decode())
        while True:
            answer: Message = msgspec.json.decode(self._connection.recv(ANSWER_S))
            if answer.get("transaction") == transaction and answer["janus"] != "ack":
                return _checked(answer)


def _checked(answer: Message) -> Message:
    if "error" in answer:
        raise Refused(answer["error"]["reason"])
    told = answer.get("plugindata", {}).get("data", {})
    if "error" in told:
        raise Refused(told["error"])
    return answer


class Handle:
    """One transport of one participant of a video room."""

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number

    def publish(self, room: int, feed: int, offer: str) -> str:
        """Join a room as its publisher; the answer to the offer."""
        self._message({"request": "join", "ptype": "publisher", "room": room, "id": feed})
        return str(self._message({"request": "publish"}, {"type": "offer", "sdp": offer})["jsep"]["sdp"])

    def subscribe(self, room: int, feed: int) -> str:
        """Join a room to receive all that a publisher sends; Janus's offer."""
        streams = [{"feed": feed}]
        request = {"request": "join", "ptype": "subscriber", "room": room, "streams": streams}
        return str(self._message(request)["jsep"]["sdp"])

    def start(self, answer: str) -> None:
        """Take Janus's offer."""
        self._message({"request": "start"}, {"type": "answer", "sdp": answer})

    def detach(self) -> None:
        """Leave."""
        self._session.ask({"janus": "detach", "handle_id": self._number})

    def _message(self, body: Message, jsep: Message | None = None) -> Message:
        message: Message = {"janus": "message", "handle_id": self._number, "body": body}
        return self._session.ask(message | ({"jsep": jsep} if jsep else {}))
