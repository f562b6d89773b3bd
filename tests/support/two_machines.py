"""Two workers on two machines, a pipe between them that loses packets, and people at both; says what came, in JSON.

Run inside a network namespace: it makes two more, one for each machine, joined to this one by veth. Here the people
are, and a relay which the pipe goes through.

python two_machines.py SECONDS LOSS
"""

from __future__ import annotations

import json
import random
import selectors
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any, Self

from support.live_call import RunningCrowd, until
from support.piped_call import PipedCall
from support.worker_end import WorkerEnd

from simplestchat._native.peer.swarm import EVENT_FIRST_FRAME
from simplestchat.media import wire

DELAYED_SHARE = 0.02
Address = tuple[str, int]


class Machine:
    """A network namespace with one interface, which lives as long as this process holds it."""

    def __init__(self, number: int) -> None:
        self.address, self.here = f"10.78.{number}.1", f"10.78.{number}.254"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        pid = self._holder.pid
        self.enter = ["nsenter", "--target", str(pid), "--net", "--"]
        outer = f"""
            ip link add machine{number} type veth peer name eth0 netns {pid}
            ip address add {self.here}/24 dev machine{number}
            ip link set machine{number} up"""
        inner = f"""
            ip link set lo up
            ip address add {self.address}/24 dev eth0
            ip link set eth0 up"""
        for enter, script in (([], outer), (self.enter, inner)):
            subprocess.run([*enter, "sh", "-ec", f"PATH=$PATH:/usr/sbin:/sbin\n{script}"], check=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait()


class Relay:
    """What leaves one machine for the other; some of it is lost, and some comes behind what left later."""

    def __init__(self, machines: list[Machine], ports: list[int], loss: float) -> None:
        self.loss = loss
        self.counts = {"passed": 0, "lost": 0, "delayed": 0}
        self._random = random.Random(1)
        self._ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in machines]
        self._others = {}
        for end, machine in zip(self._ends, machines, strict=True):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            end.bind((machine.here, 0))
            end.setblocking(False)
        for end, other, machine, port in zip(self._ends, self._ends[::-1], machines[::-1], ports[::-1], strict=True):
            self._others[end] = (other, (machine.address, port))
        self._late: list[tuple[socket.socket, bytes, Address]] = []
        self.addresses: tuple[Address, Address] = (self._ends[0].getsockname(), self._ends[1].getsockname())
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for end in self._ends:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    self._pass(key.fileobj)

    def _pass(self, end: socket.socket) -> None:
        try:
            data = end.recv(2048)
        except BlockingIOError:
            return
        other, address = self._others[end]
        if self._random.random() < self.loss:
            self.counts["lost"] += 1
        elif self.loss and self._random.random() < DELAYED_SHARE:
            self.counts["delayed"] += 1
            self._late.append((other, data, address))
        else:
            self.counts["passed"] += 1
            other.sendto(data, address)
            for late, held, to in self._late:
                late.sendto(held, to)
            self._late.clear()


def main(seconds: float, loss: float) -> dict[str, Any]:
    """Hold the call; what came."""
    with ExitStack() as stack:
        machines = [stack.enter_context(Machine(number)) for number in (1, 2)]
        workers = [stack.enter_context(WorkerEnd(machine.enter)) for machine in machines]
        relay = Relay(machines, [worker.port for worker in workers], loss)
        running = RunningCrowd(bind="0.0.0.0")
        stack.callback(running.close)
        hosts = {worker: machine.address for worker, machine in zip(workers, machines, strict=True)}
        call = PipedCall(running, hosts)
        link = call.link(*workers, relay.addresses)
        anna, ben = map(call.join, workers)
        tracks = {kind: call.publish(anna, kind) for kind in ("audio", "video")}
        receivers = {kind: call.watch(ben, track, call.pipe(track, link)) for kind, track in tracks.items()}
        for kind, track in tracks.items():
            call.start(track)
            running.wait_for(EVENT_FIRST_FRAME, receivers[kind])
        time.sleep(seconds)
        relay.loss = 0.0
        time.sleep(1)  # so that what was lost last is noticed and comes, too
        for track in tracks.values():
            call.swarm.mute(track.id, True)
        for receiver in receivers.values():
            until(lambda r=receiver: not missing(call, r), "what was lost")
        totals = {kind: call.swarm.remove_receiver(receiver) for kind, receiver in receivers.items()}
        stats = [worker.ask(wire.Stats())["counters"] for worker in workers]
        return {"relay": relay.counts, "tracks": totals, "workers": stats}


def missing(call: PipedCall, receiver: int) -> int:
    """How many packets of a track have not come."""
    totals = call.swarm.receiver_totals(receiver)
    return totals["missed"] - totals["repaired"] - totals["lost"]


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), float(sys.argv[2]))))
