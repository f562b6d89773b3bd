"""Proves that SimplestChat works where it was installed: native modules, node, worker, signaling, media, load tester.

    python scripts/smoke.py [--openssl 3.5]

Run it with the Python of an environment that holds ``simplestchat[load]``. It works in an empty folder of its own, on
loopback and free ports, takes about ten seconds, and ends with the first thing that is not as it should be.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

COMMAND = [str(Path(sys.executable).with_name("simplestchat"))]
READY = re.compile(r"^ready (http://\S+)$", re.MULTILINE)
PATIENCE_S = 60.0
USERS, SECONDS = 3, 3


def check(good: object, what: str) -> None:
    """Say what was looked at; end when it is not good."""
    print(f"{'ok  ' if good else 'FAIL'}  {what}", flush=True)
    if not good:
        raise SystemExit(1)


def output_of(*arguments: str) -> str:
    """What the command prints, whatever its exit status."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    ).stdout


def native_modules() -> None:
    """Load every compiled module of the installed package."""
    files = [file for file in distribution("simplestchat").files or () if file.name.endswith(tuple(EXTENSION_SUFFIXES))]
    names = [".".join((*file.parent.parts, file.name.partition(".")[0])) for file in files]
    check(names, "the package lists its compiled modules")
    for file, name in zip(files, names, strict=True):
        module = importlib.import_module(name)
        if module.__file__ is None or not Path(module.__file__).samefile(file.locate()):
            check(False, f"{name} is the installed one and not {module.__file__}")
    check(True, f"{len(names)} compiled modules load")


def command(openssl: str) -> None:
    """What the command says of itself and of the machine."""
    check(version("simplestchat") in output_of("--version"), "simplestchat --version")
    checks = {found["name"]: found for found in json.loads(output_of("doctor", "--json"))["checks"]}
    for name in ("native core", "OpenSSL"):
        check(checks[name]["verdict"] == "green", f"simplestchat doctor: {name}: {checks[name]['what']}")
    linked = checks["OpenSSL"]["values"]["version"]
    check(f"{linked}.".startswith(f"{openssl}." if openssl else ""), f"OpenSSL {linked} is the one that was built in")


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A node with one worker; the address that it prints."""
    run = [*COMMAND, "serve", "--port", "0", "--rtc-port", "0", "--workers", "1"]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    killer = threading.Timer(PATIENCE_S, process.kill)
    killer.start()
    said = ""
    for line in process.stdout:
        said += line
        if READY.search(said):
            break
    killer.cancel()
    ready = READY.search(said)
    check(ready, "simplestchat serve is ready" if ready else f"simplestchat serve is ready\n{said}")
    assert ready is not None
    rest = threading.Thread(target=process.stdout.read)
    rest.start()
    try:
        yield ready[1]
    except BaseException:
        process.kill()
        raise
    process.terminate()
    check(process.wait(PATIENCE_S) == 0, "it stops when told")
    rest.join()


def page(url: str) -> None:
    """The browser client, with all that its page names."""
    with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE_S) as answer:
        check(answer.status == 200, "it is healthy")
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        assets = re.findall(r'(?:src|href)="/?(assets/[^"]+)"', answer.read().decode())
    check(assets, "its page names scripts and styles")
    for asset in assets:
        with urllib.request.urlopen(f"{url}/{asset}", timeout=PATIENCE_S) as answer:
            check(answer.status == 200, f"it has {asset}")


def join(url: str) -> None:
    """One person in a room."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "room.join", "params": {"room": "smoke", "name": "Ada"}}
    with connect(url.replace("http", "ws", 1) + "/ws", open_timeout=PATIENCE_S) as socket:
        socket.send(json.dumps(request))
        answer: dict[str, Any] = {}
        while answer.get("id") != 1:
            answer = json.loads(socket.recv(PATIENCE_S))
        check("peerId" in answer.get("result", {}), "a room can be joined over WebSocket")


def call(url: str, report: Path) -> None:
    """A call of synthetic users with ICE, DTLS and SRTP; how fast it was is no matter here, and so is its verdict."""
    size = ["--clients", str(USERS), "--duration", str(SECONDS)]
    run = [*COMMAND, "load", "conference", "--server", url, *size, "--report", str(report), "--quiet"]
    done = subprocess.run(run, timeout=2 * PATIENCE_S, check=False)
    check(done.returncode in {0, 1, 3}, f"simplestchat load runs (exit status {done.returncode})")
    summary = json.loads((report / "report.json").read_text())["summary"]
    check(summary["connection_success"] == 1, f"{summary['clients']} users connected their media")
    check(summary["delivered"], f"{summary['delivered']} packets were delivered and checked")
    wrong = {name: summary[name] for name in ("errors", "corrupt", "misdelivered", "chat_lost")}
    check(not any(wrong.values()), f"nothing went wrong: {wrong}")


def main() -> None:
    """Look at everything, in an empty folder."""
    parser = argparse.ArgumentParser(description="Prove that an installed SimplestChat works.")
    parser.add_argument("--openssl", default="", metavar="VERSION", help="what the native core must be linked to: 3.5")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        native_modules()
        command(options.openssl)
        with server() as url:
            page(url)
            join(url)
            call(url, Path(folder, "report"))
        os.chdir("/")


if __name__ == "__main__":
    main()
