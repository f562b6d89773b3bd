"""What a user says: when it is due, by requests that nobody waits for; what was not answered goes again.

Rules:
 - The text begins with when it was due, so that whoever hears it on this machine can tell how long it took.
 - A message has an id of the user's own. Sent again under it, it must be stored once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simplestchat.load.client import LOST, Pending
from simplestchat.load.counts import now_us
from simplestchat.load.oracle import Member
from simplestchat.load.rooms import Latest
from simplestchat.signaling.notices import ChatMessageNotice
from simplestchat.signaling.requests import ChatSend

if TYPE_CHECKING:
    from simplestchat.load.stay import Stay

UNANSWERED_KEPT = 1000


class Chatting:
    """The chat of one stay."""

    __slots__ = ("_stay", "_unanswered", "member")

    def __init__(self, stay: Stay) -> None:
        self._stay = stay
        self._unanswered: Latest[str, tuple[ChatSend, int]] = Latest(UNANSWERED_KEPT)
        self.member = Member(stay.world, stay.room, stay.plan.index)

    def say(self, at_s: float, number: int) -> None:
        """A message is due."""
        stay = self._stay
        if stay.gone or stay.world.silent:
            return
        due_us = stay.world.at_us(at_s)
        client_id = f"u{stay.plan.index}-{number}"
        text = f"{due_us} {client_id} ".ljust(stay.world.scenario.behaviour.chat_bytes, "x")
        message = ChatSend(text=text, client_id=client_id)
        self._unanswered[client_id] = (message, due_us)
        stay.world.tally.add("chat_sent")
        self._send(message, due_us)

    def say_again(self) -> None:
        """After coming back: what was not answered."""
        for message, due_us in tuple(self._unanswered.values()):
            self._send(message, due_us)

    def heard(self, notice: ChatMessageNotice) -> None:
        """A message of anybody, of our own too."""
        self.member.hears(notice)
        due, _, rest = notice.text.partition(" ")
        sender = rest[1 : rest.find("-")]
        if due.isdigit() and sender.isdigit() and self._stay.world.is_ours(int(sender)):
            self._stay.world.tally.span("chat", now_us() - int(due))

    def _send(self, message: ChatSend, due_us: int) -> None:
        if self._stay.client.is_open:
            self._stay.client.send("chat.send", message, due_us=due_us, callback=self._answered(message.client_id))

    def _answered(self, client_id: str) -> Callable[[Pending], None]:
        def answered(pending: Pending) -> None:
            if pending.failure is not None and pending.failure.reason == LOST:
                return  # it goes again when we are back
            self._unanswered.pop(client_id, None)
            if pending.failure is not None:
                self._stay.refused(pending.failure)
                return
            self._stay.world.tally.add("chat_acked")
            self._stay.world.acked.add(self._stay.room.name, pending.result.seq, client_id)
            if not self._stay.room.chat.acknowledged(pending.result.seq, client_id):
                self._stay.world.tally.add("chat_disorder")
                self._stay.world.tally.fault(
                    "chat-changed", self._stay.plan.index, f"{client_id} is not what was heard"
                )

        return answered
