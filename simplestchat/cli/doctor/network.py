"""The network: socket buffers, what the kernel offers for UDP, ports and addresses."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from simplestchat.server.bounds import LISTEN_BACKLOG

from .findings import Finding, Use
from .machine import Machine
from .system import LOAD_USERS

KIB = 1024
#: What a media worker asks for, and what a burst of video to a full room needs.
BUFFER_ASKED_BYTES, BUFFER_WANTED_BYTES = 8 * 1024 * KIB, 4 * 1024 * KIB
#: Transports of a synthetic user, and twice that, since ports that were used rest for a while.
TRANSPORTS_PER_LOAD_USER = 2
LOAD_PORTS = 2 * TRANSPORTS_PER_LOAD_USER * LOAD_USERS
#: A TCP connection and two transports.
FLOWS_PER_USER = 3
#: A datagram on loopback is read at once; more than this and the wall clock was moved in between.
ARRIVAL_DELAY_S = 0.5


def buffers(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether UDP sockets get buffers for a burst."""
    granted = machine.probes.buffers(BUFFER_ASKED_BYTES)
    for direction, size, knob in (("receive", granted.receive, "rmem_max"), ("send", granted.send, "wmem_max")):
        limit = machine.number(f"/proc/sys/net/core/{knob}")
        what = f"{size // KIB} KiB to {direction}, {BUFFER_WANTED_BYTES // KIB} KiB wanted"
        values = {"granted_bytes": size, knob: limit}
        if size >= BUFFER_WANTED_BYTES:
            yield Finding("green", "socket buffer", what, values=values)
        else:
            mend = f"sudo sysctl -w net.core.{knob}={BUFFER_ASKED_BYTES}"
            yield Finding("amber", "socket buffer", what, "packets are lost in bursts", mend, values)


def offload(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether the kernel takes and gives many datagrams at once, if it is asked to."""
    if use.settings.media.udp_offload == "off" and not use.loads:
        yield Finding("green", "UDP offload", "switched off")
        return
    for name, works in (("send (GSO)", machine.probes.segments()), ("receive (GRO)", machine.probes.coalesces())):
        if works:
            yield Finding("green", "UDP offload", f"{name}: works", values={"works": True})
        else:
            mend = "Linux 5.0 or newer, not inside a sandbox that imitates one"
            why = "everything works, but each datagram costs more"
            yield Finding("amber", "UDP offload", f"{name}: missing", why, mend, {"works": False})


def arrival_times(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether the kernel tells when a datagram came: the forwarding latency is measured from then."""
    delay_s = machine.probes.arrival_delay_s()
    if delay_s is None:
        mend = "Linux itself, not a sandbox that imitates it"
        yield Finding("amber", "arrival times", "not told", "the forwarding latency cannot be measured", mend)
    elif not -ARRIVAL_DELAY_S < delay_s < ARRIVAL_DELAY_S:
        mend = "sudo timedatectl set-ntp true"
        yield Finding("amber", "arrival times", f"{delay_s:+.1f} s off", "the wall clock jumps", mend, {"s": delay_s})
    else:
        yield Finding("green", "arrival times", f"told; read after {delay_s * 1e6:.0f} us", values={"s": delay_s})


def port_range(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether the synthetic users find local ports."""
    low_high = machine.numbers("/proc/sys/net/ipv4/ip_local_port_range")
    if len(low_high) != 2:
        yield Finding("green", "port range", "not told by this kernel")
        return
    low, high = low_high
    count = high - low + 1
    what, values = f"{low} to {high}: {count}, {LOAD_PORTS} wanted", {"low": low, "high": high}
    if count >= LOAD_PORTS:
        yield Finding("green", "port range", what, values=values)
    else:
        mend = 'sudo sysctl -w net.ipv4.ip_local_port_range="10000 65000"'
        yield Finding("amber", "port range", what, f"{LOAD_USERS} users do not find enough ports", mend, values)


def reserved_ports(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether other programs keep off the workers' ports."""
    media = use.settings.media
    low_high = machine.numbers("/proc/sys/net/ipv4/ip_local_port_range")
    if not media.rtc_port or len(low_high) != 2:
        return
    ports = range(media.rtc_port, media.rtc_port + media.workers)
    reserved = machine.text("/proc/sys/net/ipv4/ip_local_reserved_ports") or ""
    handed_out = [port for port in ports if low_high[0] <= port <= low_high[1] and not _listed(port, reserved)]
    span = f"{ports[0]}-{ports[-1]}" if len(ports) > 1 else str(ports[0])
    if not handed_out:
        yield Finding("green", "reserved ports", f"UDP {span}: nobody else is given them")
        return
    every = ",".join(filter(None, (reserved, span)))
    why = "a program that asks for any port may be given one while a worker restarts"
    mend = f"sudo sysctl -w net.ipv4.ip_local_reserved_ports={every}"
    yield Finding("amber", "reserved ports", f"UDP {span}: handed out to anyone", why, mend)


def _listed(port: int, ranges: str) -> bool:
    """Whether a list such as ``8080,40000-40003`` has this port."""
    for one in filter(None, ranges.split(",")):
        low, _, high = one.partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False


def free_ports(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether the ports of the settings can be had."""
    web, media = use.settings.web, use.settings.media
    wanted = [(socket.SOCK_STREAM, web.host, web.port, "TCP", "--port")]
    if media.rtc_port:
        ports = range(media.rtc_port, media.rtc_port + media.workers)
        wanted += [(socket.SOCK_DGRAM, "::", port, "UDP", "--rtc-port") for port in ports]
    for kind, host, port, protocol, option in wanted:
        refusal = machine.probes.refusal(kind, host, port)
        if refusal is None:
            yield Finding("green", "port", f"{protocol} {port or 'of any number'}: free")
        else:
            mend = f"end what uses it, or choose another with {option}"
            yield Finding("red", "port", f"{protocol} {port}: {refusal}", "the server could not start", mend)


def backlog(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether a crowd that connects at once finds a place in the queue."""
    most = machine.number("/proc/sys/net/core/somaxconn")
    if most is None:
        return
    what, values = f"somaxconn {most}, {LISTEN_BACKLOG} wanted", {"somaxconn": most}
    if most >= LISTEN_BACKLOG:
        yield Finding("green", "connection queue", what, values=values)
    else:
        why = "who connects in a crowd waits for a second or more"
        mend = f"sudo sysctl -w net.core.somaxconn={LISTEN_BACKLOG}"
        yield Finding("amber", "connection queue", what, why, mend, values)


def tracking(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether a firewall that remembers connections has room for ours."""
    most = machine.number("/proc/sys/net/netfilter/nf_conntrack_max")
    count = machine.number("/proc/sys/net/netfilter/nf_conntrack_count")
    if most is None or count is None:
        yield Finding("green", "connection tracking", "not in use")
        return
    people = max(use.settings.connections.max_connections * use.serves, LOAD_USERS * use.loads)
    wanted = FLOWS_PER_USER * people
    what, values = f"room for {most - count}, {wanted} wanted", {"max": most, "count": count, "wanted": wanted}
    if most - count >= wanted:
        yield Finding("green", "connection tracking", what, values=values)
    else:
        mend = f"sudo sysctl -w net.netfilter.nf_conntrack_max={count + 2 * wanted}"
        yield Finding("amber", "connection tracking", what, "packets of new connections are dropped", mend, values)


def addresses(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether clients elsewhere can reach what the server announces."""
    announced = list(use.settings.media.announce) or machine.probes.addresses()
    found = [ipaddress.ip_address(address) for address in announced]
    what, values = ", ".join(announced), {"announced": announced}
    if not found:
        why = "clients would not know where to send media"
        yield Finding("red", "addresses", "none", why, "simplestchat serve --announce ADDRESS", values)
    elif all(address.is_loopback for address in found):
        why = "only browsers on this machine can have media"
        yield Finding("amber", "addresses", what, why, "simplestchat serve --announce ADDRESS", values)
    elif not any(address.is_global for address in found):
        what += " (private; for people on the internet, --announce the public one)"
        yield Finding("green", "addresses", what, values=values)
    else:
        yield Finding("green", "addresses", what, values=values)
