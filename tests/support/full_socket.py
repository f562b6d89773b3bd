"""Run in a network of its own: sends to a neighbour that does not answer until the socket is full, then lets it answer.

Until its hardware address is known, what is sent to it waits in the kernel and is charged to the socket; then all of
it leaves.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

from support.namespace import ADDRESS
from support.port_sockets import set_option

from simplestchat._native.testing.probe_udp import BACKLOG_BYTES, UdpPort

NEIGHBOUR, HARDWARE = "10.77.0.2", "02:00:00:00:00:01"
SMALL_BUFFER = 16_384
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
PATIENCE_MS = 20_000
PACKET_BYTES = 1112
FRAME_PACKETS, FRAMES_PER_SOUND = 10, 2
VIDEO, AUDIO = 1, 2
ETHERNET_HEADER, IP_HEADER, UDP_HEADER = 14, 20, 8
Packet = tuple[bytes, tuple[str, int, str, int], bool]


def packet(ssrc: int, timestamp: int, number: int) -> bytes:
    """An RTP header, then the packet's number in the order of sending."""
    header = struct.pack("!BBHIII", 0x80, 96, number & 0xFFFF, timestamp, ssrc, number)
    return header + bytes(PACKET_BYTES - len(header))


def stream(frames: int, to: tuple[str, int, str, int]) -> list[Packet]:
    """Frames of video, with a packet of audio after every second."""
    made: list[Packet] = []
    for frame in range(frames):
        made += [(packet(VIDEO, frame, len(made) + i), to, True) for i in range(FRAME_PACKETS)]
        if frame % FRAMES_PER_SOUND == 0:
            made.append((packet(AUDIO, frame, len(made)), to, False))
    return made


def watch_line() -> socket.socket:
    """Everything that arrives at the other end of the line."""
    line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    line.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64_000_000)
    line.bind(("sc1", 0))
    line.setblocking(False)
    return line


def arrived(line: socket.socket) -> list[tuple[int, int, int]]:
    """(ssrc, timestamp, number) of each packet that is there, in the order of arrival."""
    found = []
    with suppress(BlockingIOError):
        while True:
            payload = line.recv(2048)[ETHERNET_HEADER + IP_HEADER + UDP_HEADER :]
            _, _, _, timestamp, ssrc, number = struct.unpack_from("!BBHIII", payload)
            found.append((ssrc, timestamp, number))
    return found


def drain(port: UdpPort, line: socket.socket) -> list[tuple[int, int, int]]:
    """What the loop does, until nothing is told any more; what arrived meanwhile."""
    found = []
    while told := [place for place, _, writable in port.ready(500) if writable]:
        for place in told:
            port.writable(place)
            found += arrived(line)
    return found + arrived(line)


def run(frames: int) -> None:
    """Send so many frames into a full socket."""
    Path("/proc/sys/net/ipv4/neigh/sc0/mcast_solicit").write_text("1000")
    port = UdpPort(offload=False)
    own = (ADDRESS, 9, ADDRESS, port.port)
    port.send([(b"first", own, False)])  # the socket of this address is made
    set_option(port.port, socket.SO_SNDBUF, SMALL_BUFFER)
    sent = stream(frames, (NEIGHBOUR, 5000, ADDRESS, port.port))
    with closing(watch_line()) as line:
        for at in range(0, len(sent), 200):
            port.send(sent[at : at + 200])
        assert not any(writable for _, _, writable in port.ready(0)), "the socket is not full"
        subprocess.run(["ip", "neigh", "replace", NEIGHBOUR, "lladdr", HARDWARE, "dev", "sc0"], check=True)
        assert port.ready(PATIENCE_MS), "the socket stays full"
        check(sent, drain(port, line), port.counters)


def check(sent: list[Packet], got: list[tuple[int, int, int]], counters: dict[str, int]) -> None:
    """Order is kept, no sound is missing, and frames are there or not as a whole, but for one that was being sent."""
    numbers = [number for _, _, number in got]
    assert numbers == sorted(set(numbers)), "out of order, or twice"
    assert len(got) + counters["dropped_send"] == len(sent), (len(got), counters, len(sent))
    sounds = sum(not video for _, _, video in sent)
    assert sum(ssrc == AUDIO for ssrc, _, _ in got) == sounds, "a sound was left out before video"
    frames: dict[int, int] = {}
    for ssrc, timestamp, _ in got:
        if ssrc == VIDEO:
            frames[timestamp] = frames.get(timestamp, 0) + 1
    broken = [timestamp for timestamp, count in frames.items() if count != FRAME_PACKETS]
    assert len(broken) <= 1, broken
    assert len(frames) - len(broken) + counters["frames_dropped"] == (len(sent) - sounds) // FRAME_PACKETS
    crowded = len(sent) * PACKET_BYTES > BACKLOG_BYTES
    assert (counters["frames_dropped"] > 0) == crowded
    print(f"{len(sent)} sent, {len(got)} arrived, {counters['frames_dropped']} frames left out")


if __name__ == "__main__":
    run(int(sys.argv[1]))
