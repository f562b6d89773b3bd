"""Packets of a frame leave for each receiver as one message; one by one where the route or the operator wants that."""

from __future__ import annotations

import pytest
from support.live_call import LiveCall, live_call, until
from support.port_sockets import set_option

from simplestchat._native.peer.swarm import EVENT_CONNECTED, EVENT_FIRST_FRAME

SO_NO_CHECK = 11  # asm-generic/socket.h; Linux sends no trains from a socket without checksums


def watch(call: LiveCall, *, refused: bool) -> None:
    """One publishes a camera whose frames take several packets; two must get all of it."""
    publisher, *viewers = [call.join() for _ in range(3)]
    for path in (publisher, *viewers):
        call.running.wait_for(EVENT_CONNECTED, path)
    if refused:  # now that the socket of the address is there
        set_option(call.server.address[1], SO_NO_CHECK, 1)
    camera = call.publish(publisher, video=True)
    for receiver in [call.subscribe(path, camera, publisher, video=True) for path in viewers]:
        call.running.wait_for(EVENT_FIRST_FRAME, receiver)
        until(lambda r=receiver: call.swarm.receiver_totals(r)["delivered"] > 200, "packets")
        totals = call.swarm.receiver_totals(receiver)
        assert totals["corrupt"] == totals["misdelivered"] == totals["duplicate"] == totals["reordered"] == 0
        assert totals["missed"] == 0


@pytest.mark.parametrize(
    ("offload", "refused"), [(True, False), (True, True), (False, False)], ids=["trains", "refused", "switched-off"]
)
def test_every_packet_arrives_once_in_order(offload: bool, refused: bool) -> None:
    with live_call(offload=offload) as call:
        watch(call, refused=refused)
        stats = call.server.call("stats")
        assert stats["dropped_send"] == 0
        assert (stats["trains_out"] > 0) == (offload and not refused)
        assert 0 < stats["padding_out"] < stats["bytes_out"] / 32  # the parts of a frame differ by a byte
