"""The media half of a client that was written from docs/protocol.md alone.

ICE (controlling), DTLS (client) and SRTP on libraries that have nothing to do with the server's native core: aioice's
STUN messages, pyOpenSSL's DTLS, libsrtp. Everything is synchronous, on one UDP socket.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, Self

from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pylibsrtp import Policy, Session

CONNECT_TIMEOUT_S = 10.0
RETRY_S = 0.2
CONSENT_S = 2.0
RECORD_HEADER = 13  # bytes before the fragment of a DTLS record; its length is in the last two
RTP_HEADER = 12
EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"

# OpenSSL's name of each SRTP suite, and libsrtp's name, key bytes and salt bytes of it.
SUITES = {
    "AEAD_AES_128_GCM": (b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    "AES_CM_128_HMAC_SHA1_80": (b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}


def make_certificate() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key and a certificate that it signs itself, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "plain")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    return key, builder.sign(key, hashes.SHA256())


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 as SDP writes it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class PlainTransport:
    """One server transport seen from the other side: connect, then send and receive plain RTP and RTCP."""

    def __init__(self, offer: dict[str, Any], suite: str) -> None:
        self.id: str = offer["id"]
        self._remote_ice = offer["iceParameters"]
        self._remote_fingerprints = offer["dtlsParameters"]["fingerprints"]
        self._suite = SUITES[suite]
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(16)
        self._tie_breaker = secrets.randbits(64)
        self._next_consent = 0.0
        self._key, self._certificate = make_certificate()
        candidate = self._choose(offer["iceCandidates"])
        self.server = (candidate["address"], candidate["port"])
        version = ipaddress.ip_address(candidate["address"]).version
        self._socket = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.connect(self.server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def dtls_parameters(self) -> dict[str, Any]:
        """What ``transport.connect`` tells the server."""
        return {
            "role": "client",
            "fingerprints": [{"algorithm": "sha-256", "value": fingerprint(self._certificate)}],
        }

    @staticmethod
    def _choose(candidates: list[dict[str, Any]]) -> dict[str, Any]:
        """Any UDP candidate; one of this machine's own addresses reaches the server as well as the next."""
        udp = [one for one in candidates if one["protocol"] == "udp" and one["type"] == "host"]
        return max(udp, key=lambda one: (ipaddress.ip_address(one["address"]).version == 4, one["priority"]))

    # ---- ICE ----

    def _binding_request(self) -> stun.Message:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote_ice['usernameFragment']}:{self._ufrag}"
        request.attributes["PRIORITY"] = 1845501695
        request.attributes["ICE-CONTROLLING"] = self._tie_breaker
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._remote_ice["password"].encode())
        request.add_fingerprint()
        return request

    def connect(self) -> None:
        """Pass the ICE check, shake hands and take the keys over."""
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        self._pass_check(deadline)
        self._derive_keys(self._handshake(deadline))

    def _pass_check(self, deadline: float) -> None:
        asked: set[bytes] = set()
        while time.monotonic() < deadline:
            request = self._binding_request()
            asked.add(request.transaction_id)
            self._socket.send(bytes(request))
            for datagram in self._datagrams(RETRY_S):
                if datagram[0] > 3:
                    continue
                answer = stun.parse_message(datagram)
                assert answer.transaction_id in asked
                assert answer.check_message_integrity(self._remote_ice["password"].encode())
                assert answer.message_class == stun.Class.RESPONSE
                assert answer.attributes["XOR-MAPPED-ADDRESS"][1] == self._socket.getsockname()[1]
                self._next_consent = time.monotonic() + CONSENT_S
                return
        raise TimeoutError("the server answers no ICE check")

    # ---- DTLS ----

    def _handshake(self, deadline: float) -> SSL.Connection:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)  # the fingerprint is what is trusted
        context.use_certificate(self._certificate)
        context.use_privatekey(self._key)
        context.set_tlsext_use_srtp(self._suite[0])
        tls = SSL.Connection(context, None)
        tls.set_connect_state()
        while time.monotonic() < deadline:
            try:
                tls.do_handshake()
            except SSL.WantReadError:
                self._flush(tls)
                for datagram in self._datagrams(RETRY_S):
                    if 20 <= datagram[0] <= 63:
                        tls.bio_write(datagram)
                        break
                else:
                    tls.DTLSv1_handle_timeout()
            else:
                self._flush(tls)
                self._check_server(tls)
                return tls
        raise TimeoutError("the DTLS handshake does not end")

    def _flush(self, tls: SSL.Connection) -> None:
        """Send what the handshake wrote, one record in a datagram."""
        try:
            written = tls.bio_read(1 << 16)
        except SSL.WantReadError:
            return
        while written:
            (length,) = struct.unpack_from("!H", written, RECORD_HEADER - 2)
            self._socket.send(written[: RECORD_HEADER + length])
            written = written[RECORD_HEADER + length :]

    def _check_server(self, tls: SSL.Connection) -> None:
        assert tls.get_selected_srtp_profile() == self._suite[0]
        certificate = tls.get_peer_certificate(as_cryptography=True)
        assert certificate is not None
        assert {"algorithm": "sha-256", "value": fingerprint(certificate)} in self._remote_fingerprints

    def _derive_keys(self, tls: SSL.Connection) -> None:
        _, profile, key, salt = self._suite
        material = tls.export_keying_material(EXPORTER_LABEL, 2 * (key + salt))
        client_key, server_key = material[:key], material[key : 2 * key]
        client_salt, server_salt = material[2 * key : 2 * key + salt], material[2 * key + salt :]
        self._out = Session(Policy(client_key + client_salt, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        self._in = Session(Policy(server_key + server_salt, Policy.SSRC_ANY_INBOUND, srtp_profile=profile))

    # ---- media ----

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send; refreshes the server's consent when that is due."""
        self._keep_consent()
        self._socket.send(self._out.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """The same for RTCP."""
        self._keep_consent()
        self._socket.send(self._out.protect_rtcp(packet))

    def _keep_consent(self) -> None:
        if time.monotonic() > self._next_consent:
            self._socket.send(bytes(self._binding_request()))
            self._next_consent = time.monotonic() + CONSENT_S

    def received(self, wait_s: float) -> Iterator[tuple[bool, bytes]]:
        """What arrives within a time: whether it is RTCP, and the packet in the clear, authenticated."""
        for datagram in self._datagrams(wait_s):
            if 128 <= datagram[0] <= 191:
                is_rtcp = 192 <= datagram[1] <= 223
                yield is_rtcp, (self._in.unprotect_rtcp if is_rtcp else self._in.unprotect)(datagram)

    def discard(self, wait_s: float) -> None:
        """Read what arrives within a time without looking at it."""
        for _ in self._datagrams(wait_s):
            pass

    def _datagrams(self, wait_s: float) -> Iterator[bytes]:
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                yield self._socket.recv(1 << 16)
            except TimeoutError:
                return
