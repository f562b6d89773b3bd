"""Our DTLS with the stack of aiortc (pyOpenSSL over the libssl that ``cryptography`` brings), both ways round."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ssl
from collections.abc import Sequence
from typing import Literal

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from support.dtls_wire import CLIENT_CONTEXT

from simplestchat._native.testing.probe_crypto import (
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    AES128_CM_SHA1_80,
    srtp_sizes,
)
from simplestchat._native.testing.probe_dtls import Dtls

GCM_128, GCM_256, CM = b"SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_256_GCM", b"SRTP_AES128_CM_SHA1_80"
Role = Literal["client", "server"]
BOTH_ROLES = pytest.mark.parametrize("ours", ["client", "server"])


def certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - datetime.timedelta(1), now)
    return builder.sign(key, hashes.SHA256())


class Peer:
    """An association of the other stack; ``context`` is given or made from the rest."""

    def __init__(
        self,
        role: Role,
        profiles: Sequence[bytes] = (GCM_128,),
        *,
        ciphers: bytes = b"ECDHE+AESGCM:ECDHE+CHACHA20",
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
        anonymous: bool = False,
        context: SSL.Context | None = None,
    ) -> None:
        if context is None:
            key = key or ec.generate_private_key(ec.SECP256R1())
            self.certificate = certificate(key)
            context = SSL.Context(SSL.DTLS_METHOD)
            context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
            context.set_cipher_list(ciphers)
            if profiles:
                context.set_tlsext_use_srtp(b":".join(profiles))
            if not anonymous:
                context.use_certificate(self.certificate)
                context.use_privatekey(key)
        self.connection = SSL.Connection(context)
        self.connection.set_ciphertext_mtu(1200)
        if role == "client":
            self.connection.set_connect_state()
        else:
            self.connection.set_accept_state()
        self.connected = False

    def fingerprint(self, algorithm: str) -> bytes:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return hashlib.new(algorithm.replace("-", ""), der).digest()

    def step(self) -> None:
        if self.connected:
            return
        try:
            self.connection.do_handshake()
        except SSL.WantReadError:
            return
        self.connected = True

    def feed(self, datagram: bytes) -> None:
        self.connection.bio_write(datagram)
        self.step()

    def drain(self) -> bytes:
        try:
            return self.connection.bio_read(16384)
        except SSL.WantReadError:
            return b""


def meet(ours: Role, peer: Peer, algorithm: str = "sha-256", digest: bytes | None = None) -> Dtls:
    """Let the two talk; the peer may give up and say so by raising."""
    end = Dtls(CLIENT_CONTEXT, ours)
    end.set_fingerprint(algorithm, peer.fingerprint(algorithm) if digest is None else digest)
    end.start(0)
    with contextlib.suppress(SSL.Error):
        peer.step()
        for _ in range(10):
            for datagram in end.drain():
                peer.feed(datagram)
            if answer := peer.drain():
                end.feed(answer, 0)
    return end


def other(role: Role) -> Role:
    return "server" if role == "client" else "client"


@BOTH_ROLES
@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        ([CM], AES128_CM_SHA1_80),
        ([GCM_256], AEAD_AES_256_GCM),
        ([GCM_128], AEAD_AES_128_GCM),
        ([GCM_128, GCM_256, CM], AEAD_AES_128_GCM),
    ],
)
def test_profiles_and_keys(ours: Role, profiles: list[bytes], expected: int) -> None:
    peer = Peer(other(ours), profiles)
    end = meet(ours, peer)
    assert end.state == "connected"
    assert peer.connected
    assert peer.connection.get_selected_srtp_profile() == {AES128_CM_SHA1_80: CM, AEAD_AES_256_GCM: GCM_256}.get(
        expected, GCM_128
    )
    suite, send_key, send_salt, receive_key, receive_salt = end.keys()
    assert suite == expected
    key, salt, _tag = srtp_sizes(suite)
    block = peer.connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
    keys = [send_key, receive_key] if ours == "client" else [receive_key, send_key]
    salts = [send_salt, receive_salt] if ours == "client" else [receive_salt, send_salt]
    assert block == b"".join(keys + salts)


def test_as_a_server_we_choose_gcm_128_whatever_the_client_likes_best() -> None:
    assert meet("server", Peer("client", [CM, GCM_256, GCM_128])).keys()[0] == AEAD_AES_128_GCM


@BOTH_ROLES
@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_fingerprints(ours: Role, algorithm: str) -> None:
    assert meet(ours, Peer(other(ours), [GCM_128]), algorithm).state == "connected"


@BOTH_ROLES
def test_an_rsa_certificate_and_each_cipher(ours: Role) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if ours == "client":
        # The server's certificate decides the kind of cipher; ours is ECDSA when we are the server.
        for cipher in (b"ECDHE-RSA-AES128-GCM-SHA256", b"ECDHE-RSA-CHACHA20-POLY1305", b"ECDHE-RSA-AES256-GCM-SHA384"):
            assert meet(ours, Peer("server", [GCM_128], ciphers=cipher, key=key)).state == "connected"
    else:
        assert meet(ours, Peer("client", [GCM_128], key=key)).state == "connected"
    for cipher in (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-ECDSA-AES256-GCM-SHA384",
    ):
        assert meet(ours, Peer(other(ours), [GCM_128], ciphers=cipher)).state == "connected"


def test_a_client_without_a_certificate_is_refused() -> None:
    end = meet("server", Peer("client", anonymous=True), digest=bytes(32))
    assert end.state == "failed"


@BOTH_ROLES
@pytest.mark.parametrize(
    ("profiles", "ciphers"),
    [
        ([], b"ECDHE+AESGCM"),
        ([b"SRTP_AES128_CM_SHA1_32"], b"ECDHE+AESGCM"),
        ([GCM_128], b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"),
    ],
    ids=["no srtp", "unknown profile", "cbc"],
)
def test_what_we_do_not_speak_fails(ours: Role, profiles: list[bytes], ciphers: bytes) -> None:
    end = meet(ours, Peer(other(ours), profiles, ciphers=ciphers))
    assert end.state in ("connecting", "failed")
    end.tick(30_000_000)  # alerts that come before the keys are not believed, so it may take until here
    assert end.state == "failed"


@BOTH_ROLES
def test_the_context_that_aiortc_makes(ours: Role) -> None:
    made = RTCCertificate.generateCertificate()
    digests = {found.algorithm: bytes.fromhex(found.value.replace(":", "")) for found in made.getFingerprints()}
    for algorithm in ("sha-256", "sha-384", "sha-512"):
        peer = Peer(other(ours), context=made._create_ssl_context(SRTP_PROFILES))
        end = meet(ours, peer, algorithm, digests[algorithm])
        assert end.state == "connected"
        assert peer.connected


def test_the_other_libssl_is_another_one() -> None:
    assert SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode() != ssl.OPENSSL_VERSION
