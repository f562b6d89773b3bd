"""Counts open connections, in all and by address, so that nobody takes them all."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_IPV6_SITE_BITS = 64  # one customer of a provider has at least a /64
_FORWARDED = frozenset(("forwarded", "x-forwarded-for", "x-real-ip"))


class Refused(Exception):
    """There is no place for another connection."""


class Admission:
    """Hands out places for connections."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._by_address: Counter[str] = Counter()
        self.open = 0

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold a place while the connection is open; raises Refused when there is none."""
        key = site(address)
        if self.open >= self._most or self._by_address[key] >= self._most_per_address:
            raise Refused
        self.open += 1
        self._by_address[key] += 1
        try:
            yield
        finally:
            self.open -= 1
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]


def site(address: str) -> str:
    """Return what counts as one address: all of IPv4, the network of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, _IPV6_SITE_BITS), strict=False))
    return str(parsed)


def from_this_machine(address: str, header_names: Iterable[str]) -> bool:
    """Whether a program on this machine asks for itself; a proxy, by its headers, asks for somebody else."""
    if not _FORWARDED.isdisjoint(header_names):
        return False
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
