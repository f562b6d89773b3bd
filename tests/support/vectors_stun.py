"""The test vectors of RFC 5769 and RFC 8489, with what each says and the key of its integrity attribute."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address


@dataclass(frozen=True)
class StunVector:
    """One message and what a parser must find in it."""

    name: str
    message: bytes
    password: bytes  # the key of MESSAGE-INTEGRITY
    type: int
    username: bytes | None = None
    priority: int | None = None
    controlled: bool = False
    tie_breaker: int = 0
    mapped: tuple[IPv4Address | IPv6Address, int] | None = None
    integrity: bool = True
    fingerprint: bool = True


TRANSACTION_ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
SHORT_TERM_PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"

# RFC 5769 section 2.1: Binding request with short-term credentials (its USERNAME is padded with spaces).
SAMPLE_REQUEST = StunVector(
    name="RFC 5769 2.1 request",
    message=bytes.fromhex(
        "000100582112a442b7e7a701bc34d686fa87dfae"
        "802200105354554e207465737420636c69656e74"
        "002400046e0001ff"
        "80290008932ff9b151263b36"
        "000600096576746a3a68367659202020"
        "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
        "80280004e57a3bcf"
    ),
    password=SHORT_TERM_PASSWORD,
    type=0x0001,
    username=b"evtj:h6vY",
    priority=0x6E0001FF,
    controlled=True,
    tie_breaker=0x932FF9B151263B36,
)

# RFC 5769 section 2.2: response with an IPv4 address.
SAMPLE_IPV4_RESPONSE = StunVector(
    name="RFC 5769 2.2 IPv4 response",
    message=bytes.fromhex(
        "0101003c2112a442b7e7a701bc34d686fa87dfae"
        "8022000b7465737420766563746f7220"
        "002000080001a147e112a643"
        "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
        "80280004c07d4c96"
    ),
    password=SHORT_TERM_PASSWORD,
    type=0x0101,
    mapped=(IPv4Address("192.0.2.1"), 32853),
)

# RFC 5769 section 2.3: response with an IPv6 address.
SAMPLE_IPV6_RESPONSE = StunVector(
    name="RFC 5769 2.3 IPv6 response",
    message=bytes.fromhex(
        "010100482112a442b7e7a701bc34d686fa87dfae"
        "8022000b7465737420766563746f7220"
        "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
        "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
        "80280004c8fb0b4c"
    ),
    password=SHORT_TERM_PASSWORD,
    type=0x0101,
    mapped=(IPv6Address("2001:db8:1234:5678:11:2233:4455:6677"), 32853),
)

# RFC 5769 section 2.4: request with long-term authentication and no FINGERPRINT.
SAMPLE_LONG_TERM_REQUEST = StunVector(
    name="RFC 5769 2.4 long-term request",
    message=bytes.fromhex(
        "000100602112a44278ad3433c6ad72c029da412e"
        "00060012e3839ee38388e383aae38383e382af"
        "e382b90000"
        "0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700"
        "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666"
    ),
    password=hashlib.md5("マトリックス:example.org:TheMatrIX".encode(), usedforsecurity=False).digest(),
    type=0x0001,
    username="マトリックス".encode(),
    fingerprint=False,
)

VECTORS = (SAMPLE_REQUEST, SAMPLE_IPV4_RESPONSE, SAMPLE_IPV6_RESPONSE, SAMPLE_LONG_TERM_REQUEST)

# RFC 8489 appendix B.1 as its erratum 6268 corrects it: USERHASH, PASSWORD-ALGORITHM and MESSAGE-INTEGRITY-SHA256 in
# place of USERNAME and MESSAGE-INTEGRITY. Long-term credentials are no part of ICE: it is here to be told apart.
USERHASH, PASSWORD_ALGORITHM = 0x001E, 0x001D
SHA256_PASSWORD = hashlib.sha256("マトリックス:example.org:TheMatrIX".encode()).digest()
SHA256_TAG_OFFSET = 132
SAMPLE_SHA256_REQUEST = bytes.fromhex(
    "000100902112a44278ad3433c6ad72c029da412e"
    "001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"
    "001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c394653547679363473"
    "41000000"
    "0014000b6578616d706c652e6f726700"
    "001d000400020000"
    "001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65"
)
