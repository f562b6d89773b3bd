"""A scenario's network conditions in the words of the emulated links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simplestchat.load.scenario import Conditions

if TYPE_CHECKING:
    from simplestchat._native.peer.swarm import LinkConditions  # a name of the stub only

REORDER_US = 25_000  # how much later a reordered datagram comes: past a few of its successors
_US = 1_000_000


def link_conditions(given: Conditions | None) -> LinkConditions | None:
    """What ``Swarm.set_network`` takes for one direction; None for a clear path."""
    if given is None or given == Conditions():
        return None
    enter, leave = gilbert_elliott(given.burst_loss, given.burst_length)
    return {
        "loss": given.loss,
        "burst_enter": enter,
        "burst_leave": leave,
        "burst_loss": 1.0 if enter else 0.0,
        "duplicate": given.duplicate,
        "reorder": given.reorder,
        "reorder_us": REORDER_US,
        "corrupt": given.corrupt,
        "delay_us": round(given.delay_s * _US),
        "jitter_us": round(given.jitter_s * _US),
        "rate_bps": given.rate_bps,
        "queue_bytes": given.queue_bytes,
        "queue_us": round(given.queue_s * _US),
    }


def gilbert_elliott(loss: float, length: float) -> tuple[float, float]:
    """The chances, per packet, to enter and to leave a burst in which everything is lost.

    Bursts have a mean of ``length`` packets, and ``loss`` of all packets are in one: of the chain's steady state
    enter / (enter + leave) is lost. A share that such bursts cannot reach (enter would pass 1) is cut.
    """
    if not loss:
        return 0.0, 0.0
    if loss >= 1:
        return 1.0, 0.0
    leave = 1 / max(length, 1.0)
    return min(loss * leave / (1 - loss), 1.0), leave


OUTAGE: LinkConditions = {"outage": True}
