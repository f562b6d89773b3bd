"""What secures a synthetic peer: its certificate, SRTP by libsrtp, and the shape that its DTLS has."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

DtlsRole = Literal["client", "server"]
_SRTP_WINDOW = 1024


@dataclass(frozen=True)
class Suite:
    """An SRTP protection profile, by its names and numbers (IANA, OpenSSL, libsrtp)."""

    name: str
    number: int
    openssl: bytes
    policy: int
    key_size: int
    salt_size: int


SUITES = {
    suite.name: suite
    for suite in (
        Suite("AEAD_AES_128_GCM", 7, b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
        Suite("AEAD_AES_256_GCM", 8, b"SRTP_AEAD_AES_256_GCM", Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
        Suite("AES_CM_128_HMAC_SHA1_80", 1, b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    )
}


class Identity:
    """A key and the self-signed certificate that stands for it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
        start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=36500))
            .sign(self.key, hashes.SHA256())
        )


@cache
def shared_identity(number: int) -> Identity:
    """Identities are costly and any will do: the same few for all calls of a run."""
    return Identity()


def certificate_digest(certificate: x509.Certificate, algorithm: str) -> str:
    kinds: dict[str, hashes.HashAlgorithm] = {
        "sha-256": hashes.SHA256(),
        "sha-384": hashes.SHA384(),
        "sha-512": hashes.SHA512(),
    }
    return certificate.fingerprint(kinds[algorithm]).hex(":").upper()


class Refusal(Enum):
    """Why a packet was not opened."""

    REPLAYED = "replayed"
    FORGED = "undecryptable"


class SrtpPair:
    """SRTP and SRTCP of one association, both directions."""

    def __init__(self, suite: Suite, send_key: bytes, receive_key: bytes) -> None:
        self.suite = suite
        self._out = Session(self._policy(suite, send_key, Policy.SSRC_ANY_OUTBOUND))
        self._in = Session(self._policy(suite, receive_key, Policy.SSRC_ANY_INBOUND))

    @staticmethod
    def _policy(suite: Suite, key: bytes, direction: int) -> Policy:
        policy = Policy(key=key, ssrc_type=direction, srtp_profile=suite.policy)
        policy.window_size = _SRTP_WINDOW
        policy.allow_repeat_tx = direction == Policy.SSRC_ANY_OUTBOUND
        return policy

    def protect(self, packet: bytes) -> bytes:
        return self._out.protect(packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._out.protect_rtcp(packet)

    def unprotect(self, packet: bytes) -> bytes | Refusal:
        return self._open(self._in.unprotect, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes | Refusal:
        return self._open(self._in.unprotect_rtcp, packet)

    @staticmethod
    def _open(unprotect: Callable[[bytes], bytes], packet: bytes) -> bytes | Refusal:
        try:
            return unprotect(packet)
        except SrtpError as error:
            return Refusal.REPLAYED if "replay" in str(error) else Refusal.FORGED


class DtlsEndpoint(Protocol):
    """One DTLS association of a peer; it hands its SRTP keys to a callback that it was made with."""

    error: str | None
    closed_by_peer: bool

    def fingerprint(self, algorithm: str = "sha-256") -> tuple[str, str]:
        """Of this end's certificate, as signaling announces it."""

    def start(self) -> None: ...
    def receive(self, datagram: bytes) -> None: ...
    def close(self) -> None:
        """Says goodbye."""
