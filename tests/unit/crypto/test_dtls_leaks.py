"""Memory of DTLS associations and SRTP contexts, measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from support.repository import ROOT

HANDSHAKES = 1000
PROGRAM = f"""
import gc, random, re
from support.dtls_wire import CLIENT_CONTEXT, Wire, deliver
from simplestchat._native.testing.probe_crypto import Srtp
from simplestchat._native.testing.probe_dtls import Dtls

def resident():
    gc.collect()
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])

rng = random.Random(1)

def handshakes(count):
    for number in range(count):
        # Every kind of end: connected, broken off, never begun, failed, with packets lost and unread datagrams.
        wire = Wire(lambda sent: deliver(sent) if number % 3 or rng.random() < 0.8 else [])
        if number % 10 == 9:
            wire.client.start(0)
            wire.server.start(0)
            wire.server.feed(wire.client.drain()[0][:60], 0)
            continue
        if number % 10 == 8:
            wire.server.set_fingerprint("sha-256", bytes(32))
        wire.run()
        if wire.connected:
            suite, key, salt, *_ = wire.client.keys()
            sender, receiver = Srtp(suite, key, salt), Srtp(suite, key, salt)
            receiver.unprotect_rtcp(sender.protect_rtcp(bytes(28)))
            wire.client.close()

handshakes(150)
before = resident()
handshakes({HANDSHAKES})
print(resident() - before)
"""
ASSOCIATIONS = """
import gc, re
from support.dtls_wire import Wire

def resident():
    gc.collect()
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])

kept = [Wire().run() for _ in range(50)]
before = resident()
kept += [Wire().run() for _ in range(300)]
print((resident() - before) / 600)
"""


def measure(program: str) -> float:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return float(done.stdout)


def test_handshakes_leave_nothing_behind() -> None:
    # One leaked association (some 40 KiB) in 80 would show.
    assert measure(PROGRAM) < 500


def test_a_connected_association_is_small() -> None:
    # libssl's part is freed with the handshake; what is left has keys, numbers and a Finished.
    assert measure(ASSOCIATIONS) < 4
