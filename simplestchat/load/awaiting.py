"""What the server owes a subscriber once it has announced a track: that it can be received until it is said to be gone.

Rules:
 - A wanted track is received ``PATIENCE_S`` after it is wanted. Only looks in a row count at which its user is there,
   connected, has a path to receive on, and waits for no answer: one that never comes is found by its deadline.
 - A track that the server will not give, or says that it sends no longer, is closed: ``producer.closed`` follows within
   ``PATIENCE_S``. A server that calls a track closed to one and open to all contradicts itself.
 - Nothing is asked once media has ended, nor of who is about to leave.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simplestchat.load.stay import Stay
    from simplestchat.load.subscribing import Offer, Subscribing

PATIENCE_S = 4.0
LOOK_S = 2.0


class Awaiting:
    """Over the wanted tracks of one stay."""

    __slots__ = ("_doubtful", "_stay", "_subscribing")

    def __init__(self, stay: Stay, subscribing: Subscribing) -> None:
        self._stay = stay
        self._subscribing = subscribing
        self._doubtful: set[str] = set()
        """Producers that should be closed."""

    def begin(self, offer: Offer) -> None:
        """A track is wanted, or wanted again."""
        self._look_later(offer, offer.wanted_us, 0)

    def doubt(self, producer_id: str) -> None:
        """The server does as if a track that it announced were gone."""
        self._doubtful.add(producer_id)
        self._stay.world.agenda.after(PATIENCE_S, partial(self._check, producer_id))

    def closed(self, producer_id: str) -> None:
        """It is."""
        self._doubtful.discard(producer_id)

    def forget(self) -> None:
        """A whole snapshot replaces what was known."""
        self._doubtful.clear()

    def _look_later(self, offer: Offer, since_us: int, looks: int) -> None:
        self._stay.world.agenda.after(LOOK_S, partial(self._look, offer, since_us, looks))

    def _look(self, offer: Offer, since_us: int, looks: int) -> None:
        stay = self._stay
        if self._over() or offer.wanted_us != since_us or not self._subscribing.waits_for(offer):
            return
        ready = stay.idle and stay.client.is_open and stay.path_state("recv") not in ("", "failed")
        looks = looks + 1 if ready else 0
        if looks * LOOK_S >= PATIENCE_S:
            track = f"the {'camera' if offer.video else 'microphone'} of user {offer.who[0]}"
            stay.world.tally.fault("not-subscribed", stay.plan.index, f"{track}, which was announced")
        else:
            self._look_later(offer, since_us, looks)

    def _check(self, producer_id: str) -> None:
        if producer_id not in self._doubtful or self._over():
            return
        if not self._stay.client.is_open:  # what closed it may be among what is missed
            self.doubt(producer_id)
            return
        self._doubtful.discard(producer_id)
        detail = f"producer {producer_id} cannot be received and was never closed"
        self._stay.world.tally.fault("not-subscribed", self._stay.plan.index, detail)

    def _over(self) -> bool:
        return self._stay.gone or self._stay.leaving or self._stay.world.silent
