"""Two workers on two machines, a pipe between them that loses packets, and people at both; says what came, in JSON.

Run inside a network namespace: it makes two more, one for each machine, joined to this one by veth. Here the people are, and
a relay which the pipe goes through.

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
from dataclasses import dataclass
from typing import Any, Self

from support.live_call import RunningCrowd, until
from support.worker_end import WorkerEnd

from simplestchat._native.peer.swarm import EVENT_CONNECTED, EVENT_FIRST_FRAME
from simplestchat.media import wire

KEYS = (bytes(range(28)), bytes(range(100, 128)))
PIPE = 1
DELAYED_SHARE = 0.02
OPUS = {"codec": "opus", "payload_type": 111, "rtx_payload_type": -1, "clock_rate": 48_000}
VP8 = {"codec": "vp8", "payload_type": 96, "rtx_payload_type": 97, "clock_rate": 90_000}


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
        self._late: list[tuple[socket.socket, bytes, tuple[str, int]]] = []
        self.addresses = [end.getsockname() for end in self._ends]
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


@dataclass
class Person:
    """Somebody with a transport at a worker."""

    worker: WorkerEnd
    path: int


class Call:
    """One who publishes at the first machine and one who receives at the other."""

    def __init__(self, running: RunningCrowd, workers: list[WorkerEnd], machines: list[Machine]) -> None:
        self.running, self.swarm, self._workers = running, running.swarm, workers
        self._machines = machines
        self._last_id = 10

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def join(self, at: int) -> Person:
        path, worker = self.new_id(), self._workers[at]
        ufrag, password = worker.ask(wire.CreateTransport(path))
        worker.ask(wire.ConnectTransport(path, "client", [self.swarm.fingerprint]))
        address = (self._machines[at].address, worker.port)
        self.swarm.add_path(path, path, address, ufrag, password, worker.fingerprint, path)
        self.running.wait_for(EVENT_CONNECTED, path)
        return Person(worker, path)

    def carry(self, sender: Person, viewer: Person, codec: dict[str, Any], ssrc: int) -> tuple[int, int]:
        """A track from one to the other, by the pipe; its sender and its receiver."""
        video = codec["codec"] == "vp8"
        track, receiver = self.new_id(), self.new_id()
        own = {"ssrc": 1000 + track, "rtx_ssrc": 2000 + track if video else 0}
        size = {"bitrate_bps": 800_000, "width": 640, "height": 360} if video else {"bitrate_bps": 32_000}
        layer = {**own, "width": 0, "height": 0, **size, "rid": ""}
        info: Any = {
            **codec, "user": sender.path, "track": int(video), "fps": 30 if video else 0, "max_payload": 1100,
            "ext": {}, "mid": "", "talk": 1, "dtx": False, "talk_ms": 1000, "silence_ms": 1000, "seed": track,
            "layers": [layer],
        }  # fmt: skip
        rows = [tuple(codec[name] for name in ("payload_type", "rtx_payload_type", "clock_rate", "codec"))]
        codecs: Any = [(*row, True, video, video) for row in rows]
        kind, rtx = ("video", ssrc + 1) if video else ("audio", 0)
        far = self.new_id()
        sender.worker.ask(
            wire.CreateProducer(track, sender.path, kind, "", [(own["ssrc"], own["rtx_ssrc"], "")], codecs, {})
        )
        viewer.worker.ask(wire.CreateProducer(far, PIPE, kind, "", [(ssrc, rtx, "")], codecs, {}))
        sender.worker.ask(wire.PipeProducer(PIPE, track, [(self.new_id(), ssrc, rtx)]))
        wanted: Any = {**codec, **own, "user": sender.path, "track": int(video), "ext": {}}
        self.swarm.add_receiver(receiver, viewer.path, wanted)
        maps = [(codec["payload_type"], codec["payload_type"], codec["rtx_payload_type"])]
        viewer.worker.ask(
            wire.CreateConsumer(
                receiver, viewer.path, far, own["ssrc"], own["rtx_ssrc"], maps, {}, "", paused=False, cname=""
            )
        )
        self.swarm.add_sender(track, sender.path, info)
        self.running.wait_for(EVENT_FIRST_FRAME, receiver)
        return track, receiver


def main(seconds: float, loss: float) -> dict[str, Any]:
    """Hold the call; what came."""
    with ExitStack() as stack:
        machines = [stack.enter_context(Machine(number)) for number in (1, 2)]
        workers = [stack.enter_context(WorkerEnd(machine.enter)) for machine in machines]
        relay = Relay(machines, [worker.port for worker in workers], loss)
        for at, worker in enumerate(workers):
            local = (machines[at].address, worker.port)
            worker.ask(wire.CreatePipe(PIPE, relay.addresses[at], local, KEYS[at], KEYS[1 - at]))
        running = RunningCrowd(bind="0.0.0.0")
        stack.callback(running.close)
        call = Call(running, workers, machines)
        anna, ben = call.join(0), call.join(1)
        tracks = {"audio": call.carry(anna, ben, OPUS, 100), "video": call.carry(anna, ben, VP8, 200)}
        time.sleep(seconds)
        relay.loss = 0.0
        time.sleep(1)  # so that what was lost last is noticed and comes, too
        for sender, _ in tracks.values():
            call.swarm.mute(sender, True)
        for _, receiver in tracks.values():
            until(lambda r=receiver: not missing(call, r), "what was lost")
        totals = {kind: call.swarm.remove_receiver(receiver) for kind, (_, receiver) in tracks.items()}
        stats = [worker.ask(wire.Stats())["counters"] for worker in workers]
        return {"relay": relay.counts, "tracks": totals, "workers": stats}


def missing(call: Call, receiver: int) -> int:
    """How many packets of a track have not come."""
    totals = call.swarm.receiver_totals(receiver)
    return totals["missed"] - totals["repaired"] - totals["lost"]


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), float(sys.argv[2]))))
