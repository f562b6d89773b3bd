"""DTLS by pyOpenSSL: a call becomes a meeting of two independent builds, and a peer can insist on one SRTP suite."""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL
from support.secure import SUITES, DtlsRole, Identity, SrtpPair, certificate_digest

_RECORD_HEADER = 13
_MAX_DATAGRAM = 1200


class OpensslDtls:
    """One association, for paths that lose nothing: its timer runs on the real clock, so nothing is sent again."""

    def __init__(
        self,
        role: DtlsRole,
        identity: Identity,
        suites: list[str],
        send: Callable[[bytes], None],
        on_connected: Callable[[SrtpPair], None],
    ) -> None:
        self._role, self._identity = role, identity
        self._send, self._on_connected = send, on_connected
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(identity.certificate)
        context.use_privatekey(identity.key)
        context.set_tlsext_use_srtp(b":".join(SUITES[name].openssl for name in suites))
        self._connection = SSL.Connection(context)
        self._connection.set_ciphertext_mtu(_MAX_DATAGRAM)
        if role == "client":
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()
        self.connected = False
        self.error: str | None = None
        self.closed_by_peer = False

    def start(self) -> None:
        self._step()

    def fingerprint(self, algorithm: str = "sha-256") -> tuple[str, str]:
        return algorithm, certificate_digest(self._identity.certificate, algorithm)

    def server_digest(self, algorithm: str = "sha-256") -> str | None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        return certificate_digest(certificate, algorithm) if certificate else None

    def receive(self, datagram: bytes) -> None:
        if self.error is not None:
            return
        self._connection.bio_write(datagram)
        if self.connected:
            self._read()
        else:
            self._step()

    def close(self) -> None:
        """Says goodbye with a close_notify."""
        self._connection.shutdown()
        self._flush()

    def _read(self) -> None:
        try:
            self._connection.recv(2048)
        except SSL.ZeroReturnError:
            self.closed_by_peer = True
        except SSL.Error:
            pass

    def _step(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error as error:
            self.error = str(error)
            self._flush()
            return
        self._flush()
        self.connected = True
        self._on_connected(self._srtp())

    def _flush(self) -> None:
        try:
            pending = self._connection.bio_read(65536)
        except SSL.WantReadError:
            return
        for datagram in _datagrams(pending):
            self._send(datagram)

    def _srtp(self) -> SrtpPair:
        selected = self._connection.get_selected_srtp_profile()
        suite = next(suite for suite in SUITES.values() if suite.openssl == selected)
        material = self._connection.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (suite.key_size + suite.salt_size)
        )
        key, salt = suite.key_size, suite.salt_size
        # Both keys, then both salts, the client's first (RFC 5764 section 4.2).
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        ours, theirs = (client, server) if self._role == "client" else (server, client)
        return SrtpPair(suite, ours, theirs)


def _datagrams(records: bytes) -> list[bytes]:
    """Whole records in datagrams of at most 1200 bytes: a memory BIO keeps no boundaries."""
    datagrams: list[bytes] = []
    pos = 0
    while pos + _RECORD_HEADER <= len(records):
        size = _RECORD_HEADER + int.from_bytes(records[pos + 11 : pos + 13], "big")
        record = records[pos : pos + size]
        if datagrams and len(datagrams[-1]) + size <= _MAX_DATAGRAM:
            datagrams[-1] += record
        else:
            datagrams.append(record)
        pos += size
    return datagrams
