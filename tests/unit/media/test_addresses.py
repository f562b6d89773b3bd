from __future__ import annotations

import ipaddress
import socket
import subprocess

from simplestchat.media.addresses import candidates, host_addresses


def test_every_address_that_the_system_lists_is_there_and_no_link_local_one() -> None:
    listing = subprocess.run(["ip", "-o", "addr", "show"], check=True, capture_output=True, text=True).stdout
    expected = set()
    for line in listing.splitlines():
        fields = line.split()
        address = ipaddress.ip_address(fields[3].partition("/")[0])
        usable = "tentative" not in fields and "dadfailed" not in fields
        if usable and not address.is_link_local and (address.version == 4 or "global" in fields):
            expected.add(str(address))
    assert set(host_addresses()) == expected
    assert "127.0.0.1" in expected


def test_addresses_can_be_bound_and_loopback_comes_last() -> None:
    addresses = host_addresses()
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    loopback = [ipaddress.ip_address(address).is_loopback for address in addresses]
    assert loopback == sorted(loopback)


def test_candidates_are_distinct_and_in_order_of_preference() -> None:
    made = candidates(["192.0.2.1", "2001:db8::1", "127.0.0.1"], 40000)
    assert [(one.address, one.port, one.protocol) for one in made] == [
        ("192.0.2.1", 40000, "udp"),
        ("2001:db8::1", 40000, "udp"),
        ("127.0.0.1", 40000, "udp"),
    ]
    priorities = [one.priority for one in made]
    assert priorities == sorted(set(priorities), reverse=True)
    assert priorities[0] == 2130706431  # RFC 8445 section 5.1.2.1 for a host with one address
    assert len({one.foundation for one in made}) == 3
