"""What a user receives of the others: which tracks it wants, how it asks for them, and how it follows their fate.

Rules:
 - Wanted is what the scenario says: everything, the first so many others, or the video of one page with everybody's
   audio. Who turns the page closes what is not on the new one; each closing is told to the oracle when it is answered.
   People who are not ours, such as a browser, send what cannot be checked and are never wanted.
 - As mediasoup-client does it: consumer.create (paused), the receiver, then consumer.resume. Several at a time. A
   viewer's wait begins when the track is known and wanted, so that waiting for a turn to ask is part of it.
 - A track that is closed while it is asked for is a race and no fault. What is wanted must be received in the end, and
   what the server calls closed must be told so to everybody: see ``awaiting``.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from simplestchat.load import device
from simplestchat.load.awaiting import Awaiting
from simplestchat.load.client import LOST, Pending, RequestFailed
from simplestchat.load.counts import now_us
from simplestchat.load.oracle import Subscription
from simplestchat.signaling.notices import ConsumerClosed, ProducerOpened
from simplestchat.signaling.requests import ConsumerCreate, ConsumerCreated, ConsumerRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simplestchat.load.stay import Stay
    from simplestchat.load.transports import Path
    from simplestchat.signaling.data import OwnConsumer, PeerInfo

AT_ONCE = 4  # requests under way, as pages have it; what waits for its turn waits for its first frame too


class Offer:
    """A track that this user wants."""

    __slots__ = ("peer_id", "producer_id", "video", "wanted_us", "who")

    def __init__(self, peer_id: str, who: tuple[int, int], producer_id: str, *, video: bool) -> None:
        self.peer_id = peer_id
        self.who = who
        self.producer_id = producer_id
        self.video = video
        self.wanted_us = 0
        """Since when its user waits for it."""


class Subscribing:
    """All subscriptions of one stay."""

    __slots__ = (
        "_audio_only", "_awaiting", "_busy", "_others", "_page", "_passed", "_retiring", "_stay", "_wanted",
        "subscriptions",
    )  # fmt: skip

    def __init__(self, stay: Stay) -> None:
        self._stay = stay
        self._audio_only = False
        self._busy = False
        self._wanted: dict[str, Offer] = {}
        """By producer: what is to be received, received already or not."""
        self._others: dict[str, set[str]] = {}
        """With a limit: the peers that were chosen, with their wanted producers."""
        self._passed: dict[str, Offer] = {}
        """With a limit: what was not chosen yet; with pages: what is on others."""
        turned = sum(at_s <= stay.visit.begin_s for at_s in stay.plan.page_turns)
        self._page = stay.world.plan.page(stay.plan.index, turned)
        self._retiring: list[Subscription] = []
        """Closed, and not yet counted for good."""
        self.subscriptions: dict[str, Subscription] = {}
        self._awaiting = Awaiting(stay, self)

    def snapshot(self, peers: Iterable[PeerInfo]) -> None:
        """Those who were in the room already."""
        for peer in peers:
            self._stay.room.meet(peer.peer_id, peer.name)
            for one in peer.producers:
                self._offer(peer.peer_id, one.producer_id, video=one.kind == "video")

    def opened(self, notice: ProducerOpened) -> None:
        """Someone publishes a track."""
        self._offer(notice.peer_id, notice.producer_id, video=notice.kind == "video")

    def _offer(self, peer_id: str, producer_id: str, *, video: bool) -> None:
        who = self._stay.room.who(peer_id)
        if who is None or who[0] == self._stay.plan.index or not self._wants(video=video):
            return
        offer = Offer(peer_id, who, producer_id, video=video)
        if video and not self._on_page(who[0]):
            self._passed[producer_id] = offer
            return
        if self._stay.world.scenario.subscribe.mode == "some":
            limit = self._stay.world.scenario.subscribe.limit
            if peer_id not in self._others and len(self._others) >= limit:
                self._passed[producer_id] = offer
                return
            self._others.setdefault(peer_id, set()).add(producer_id)
        self._want(offer)

    def _wants(self, *, video: bool) -> bool:
        subscribe = self._stay.world.scenario.subscribe
        if subscribe.mode == "none" or not (subscribe.video if video else subscribe.audio):
            return False
        return not (video and self._audio_only)

    def _on_page(self, publisher: int) -> bool:
        if self._stay.world.scenario.subscribe.mode != "page":
            return True
        return publisher % self._stay.world.plan.room_size in self._page

    def _want(self, offer: Offer) -> None:
        self._wanted[offer.producer_id] = offer
        self._await(offer)
        self.look()

    def _await(self, offer: Offer) -> None:
        """From now on its user waits for it."""
        offer.wanted_us = now_us()
        self._awaiting.begin(offer)

    def waits_for(self, offer: Offer) -> bool:
        """Whether a track is wanted and not received."""
        return self._wanted.get(offer.producer_id) is offer and offer.producer_id not in self.subscriptions

    def look(self) -> None:
        """Ask for what is wanted and not received, soon."""
        if not self._busy and self._stay.path_state("recv") not in ("", "failed"):
            self._busy = True
            self._stay.do(self._ask)

    async def _ask(self) -> None:
        try:
            while self._stay.path_state("recv") not in ("", "failed"):
                missing = (one for one in self._wanted.values() if one.producer_id not in self.subscriptions)
                batch = list(islice(missing, AT_ONCE))
                if not batch:
                    return
                await self._subscribe(batch)
                if self._stay.leaving or not self._stay.client.is_open:
                    return  # what is missing is asked for when we are back
        finally:
            self._busy = False

    async def _subscribe(self, batch: list[Offer]) -> None:
        client, path = self._stay.client, self._stay.transports.paths["recv"]
        resumed: list[Pending] = []

        def created(offer: Offer, pending: Pending) -> None:
            """At once: what notices say of the track from now on must find it."""
            if pending.failure is not None:
                self._refused(offer, path, pending.failure)
            elif self._begin(offer, pending.result, path.number):
                resumed.append(client.send("consumer.resume", ConsumerRef(consumer_id=pending.result.id)))

        asked = []
        for offer in batch:
            wanted = ConsumerCreate(
                transport_id=path.transport_id, producer_id=offer.producer_id, rtp_capabilities=device.CAPABILITIES
            )
            asked.append(client.send("consumer.create", wanted, callback=partial(created, offer)))
        for pending in asked:
            await pending.done.wait()
        for pending in resumed:
            try:
                await client.wait(pending)
            except RequestFailed as error:
                self._stay.refused(error, race="not_found")

    def _refused(self, offer: Offer, path: Path, failure: RequestFailed) -> None:
        """A track cannot be had, unless it is the path that the server does not know any more."""
        failed = path.state == "failed" or self._stay.transports.paths.get("recv") is not path
        if failure.reason != LOST and not failed:
            known = self._wanted.pop(offer.producer_id, None) is not None
            if known and failure.reason == "not_found":
                self._awaiting.doubt(offer.producer_id)
        self._stay.refused(failure, race="not_found")

    def _begin(self, offer: Offer, created: ConsumerCreated, path: int) -> bool:
        stay = self._stay
        if stay.gone or offer.producer_id not in self._wanted or stay.path_state("recv") in ("", "failed"):
            return False
        subscription = Subscription(
            stay.world, stay.room, stay.plan.index, offer.who, offer.peer_id, offer.producer_id, video=offer.video
        )
        info = device.receiving(created.rtp_parameters, offer.who[0], subscription.track, offer.who[1])
        info["wanted_us"] = offer.wanted_us
        subscription.begin(created.id, path, info, producer_paused=created.producer_paused)
        self.subscriptions[offer.producer_id] = subscription
        self._screen()
        return True

    def _screen(self) -> None:
        self._stay.screen.show([one.consumer_id for one in self.subscriptions.values() if one.video])

    # What becomes of them

    def held(self, consumer_id: str, *, held: bool) -> None:
        """The server sends a video for a while not at all, or again."""
        for subscription in self.subscriptions.values():
            if subscription.consumer_id == consumer_id:
                subscription.set_held(held)

    def paused(self, producer_id: str, *, paused: bool) -> None:
        """A publisher muted a track, or no longer."""
        subscription = self.subscriptions.get(producer_id)
        if subscription is not None:
            subscription.set_producer_paused(paused)

    def consumer_closed(self, notice: ConsumerClosed) -> None:
        """The server sends a track no longer; when that is the transport's fault, it is asked for again."""
        offer = self._wanted.get(notice.producer_id)
        if notice.reason in ("transport-closed", "worker-lost"):
            subscription = self.subscriptions.pop(notice.producer_id, None)
            if subscription is not None:
                self._retire(subscription)
                if offer is not None:
                    self._await(offer)
        else:
            self.closed(notice.producer_id)
            if offer is not None:
                self._awaiting.doubt(notice.producer_id)

    def closed(self, producer_id: str) -> None:
        """A track is gone."""
        self._awaiting.closed(producer_id)
        self._passed.pop(producer_id, None)
        offer = self._wanted.pop(producer_id, None)
        subscription = self.subscriptions.pop(producer_id, None)
        if subscription is not None:
            self._retire(subscription)
        if offer is not None and offer.peer_id in self._others:
            self._others[offer.peer_id].discard(producer_id)
            if not self._others[offer.peer_id]:
                del self._others[offer.peer_id]
                self._choose_another()

    def _retire(self, subscription: Subscription) -> None:
        self._screen()
        self._retiring = [one for one in self._retiring if not one.finished]
        self._retiring.append(subscription)
        subscription.retire()

    def _choose_another(self) -> None:
        """A place is free: whose tracks were passed over first gets it."""
        first = next(iter(self._passed.values()), None)
        if first is None:
            return
        for offer in [one for one in self._passed.values() if one.peer_id == first.peer_id]:
            del self._passed[offer.producer_id]
            self._offer(offer.peer_id, offer.producer_id, video=offer.video)

    async def turn(self, turned: int) -> None:
        """Look at another page."""
        self._stay.world.tally.add("pages_turned")
        self._page = self._stay.world.plan.page(self._stay.plan.index, turned)
        left = [one for one in self._wanted.values() if one.video and not self._on_page(one.who[0])]
        come = [one for one in self._passed.values() if self._on_page(one.who[0])]
        for offer in left:
            self._passed[offer.producer_id] = self._wanted.pop(offer.producer_id)
        for offer in come:
            self._want(self._passed.pop(offer.producer_id))
        await self._close_unwanted()

    async def _close_unwanted(self) -> None:
        unwanted = [one for producer_id, one in self.subscriptions.items() if producer_id not in self._wanted]
        await self._each("consumer.close", unwanted, self._drop)

    def _drop(self, subscription: Subscription) -> None:
        """It is closed, if its producer was not closed meanwhile."""
        if self.subscriptions.get(subscription.producer_id) is subscription:
            del self.subscriptions[subscription.producer_id]
            self._retire(subscription)

    async def audio_only(self) -> None:
        """Look at nobody any more."""
        self._audio_only = True
        self._stay.world.tally.add("audio_only")
        self._wanted = {key: one for key, one in self._wanted.items() if not one.video or key in self.subscriptions}
        watched = [one for one in self.subscriptions.values() if one.video]
        await self._each("consumer.pause", watched, lambda one: one.set_own_paused(True))

    async def _each(self, method: str, subscriptions: list[Subscription], done: Callable[[Subscription], None]) -> None:
        """Ask something for each, at once, and note what was done; one that is gone by then is a race."""
        client = self._stay.client
        asked = [(one, client.send(method, ConsumerRef(consumer_id=one.consumer_id))) for one in subscriptions]
        for subscription, pending in asked:
            try:
                await client.wait(pending)
            except RequestFailed as error:
                self._stay.refused(error, race="not_found")
            else:
                done(subscription)

    async def compare(self, held: list[OwnConsumer]) -> None:
        """After coming back: what the server holds and what we do must be the same."""
        ours = {one.consumer_id: one for one in self.subscriptions.values()}
        for one in held:
            if ours.pop(one.consumer_id, None) is None:  # its answer was lost on the way
                await self._stay.client.call("consumer.close", ConsumerRef(consumer_id=one.consumer_id))
        for subscription in ours.values():
            if subscription.producer_id not in self._wanted:  # on a page that was turned; the answer was lost
                self._drop(subscription)
                continue
            self.closed(subscription.producer_id)
            self._awaiting.doubt(subscription.producer_id)
        await self._close_unwanted()
        self.look()

    # The end

    def let_go(self) -> None:
        """We are about to leave."""
        for subscription in (*self.subscriptions.values(), *self._retiring):
            subscription.let_go()

    def stop_expecting(self) -> None:
        """We left: nothing is due any more."""
        for subscription in self.subscriptions.values():
            subscription.set_gone()

    def finish(self) -> None:
        """Count everything for good; the path is about to go."""
        for subscription in (*self.subscriptions.values(), *self._retiring):
            subscription.finish()
        self.subscriptions.clear()
        self._retiring.clear()

    def forget(self) -> None:
        """The path failed: everything wanted is asked for again over another one."""
        self.finish()
        for offer in self._wanted.values():
            self._await(offer)

    def forget_all(self) -> None:
        """A whole snapshot replaces what was known."""
        self.finish()
        self._wanted.clear()
        self._others.clear()
        self._passed.clear()
        self._awaiting.forget()
