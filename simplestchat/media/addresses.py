"""The addresses of this machine, from the kernel (rtnetlink), and the ICE candidates made of them."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator, Sequence

from simplestchat.model.media import IceCandidate

_RTM_GETADDR, _NLMSG_DONE, _NLMSG_ERROR = 22, 3, 2
_NLM_F_REQUEST_DUMP = 0x301
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_UNUSABLE = 0x08 | 0x40  # duplicate address detection has failed, or is not over
_SCOPE_GLOBAL = 0
_HEADER = struct.Struct("=LHHLL")  # struct nlmsghdr
_ADDRESS = struct.Struct("=BBBBL")  # struct ifaddrmsg
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr

_TYPE_PREFERENCE_HOST = 126  # RFC 8445 section 5.1.2.2
_COMPONENT = 1


def host_addresses() -> list[str]:
    """Return every IPv4 address, loopback included, and every global IPv6 address; link-local ones are left out.

    Addresses that other machines can use come first.
    """
    found = dict.fromkeys(_usable(family, scope, raw) for family, scope, raw in _dump())
    addresses = [address for address in found if address is not None]
    return [str(address) for address in sorted(addresses, key=lambda address: address.is_loopback)]


def candidates(addresses: Sequence[str], port: int) -> tuple[IceCandidate, ...]:
    """Return a host candidate for each address, the first one preferred (RFC 8445 section 5.1.2)."""
    return tuple(
        IceCandidate(
            foundation=f"udp{index}",
            priority=(_TYPE_PREFERENCE_HOST << 24) | ((65535 - index) << 8) | (256 - _COMPONENT),
            address=address,
            port=port,
        )
        for index, address in enumerate(addresses)
    )


def _usable(family: int, scope: int, raw: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if family == socket.AF_INET and len(raw) == 4:
        address = ipaddress.IPv4Address(raw)
        return None if address.is_link_local else address
    if family == socket.AF_INET6 and len(raw) == 16 and scope == _SCOPE_GLOBAL:
        return ipaddress.IPv6Address(raw)
    return None


def _dump() -> Iterator[tuple[int, int, bytes]]:
    """Yield (family, scope, address) of everything that the kernel lists."""
    request = _HEADER.pack(_HEADER.size + _ADDRESS.size, _RTM_GETADDR, _NLM_F_REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(1)
        netlink.send(request + _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
        while True:
            data = netlink.recv(65536)
            while data:
                length, kind, *_ = _HEADER.unpack_from(data)
                if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                    return
                family, _prefix, flags, scope, _interface = _ADDRESS.unpack_from(data, _HEADER.size)
                attributes = _attributes(data[_HEADER.size + _ADDRESS.size : length])
                # On a point-to-point link IFA_ADDRESS is the other end; ours is IFA_LOCAL.
                raw = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
                if not flags & _IFA_F_UNUSABLE:
                    yield family, scope, raw
                data = data[_aligned(length) :]


def _attributes(data: bytes) -> dict[int, bytes]:
    attributes: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        attributes[kind] = data[_ATTRIBUTE.size : length]
        data = data[max(_aligned(length), _ATTRIBUTE.size) :]
    return attributes


def _aligned(length: int) -> int:
    return (length + 3) & ~3
