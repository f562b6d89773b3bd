"""What is believed of a server, by what the options say."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simplestchat.errors import ConfigError
from simplestchat.load.trust import Trust, Untrusted, check, read_trust
from simplestchat.server import tls


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    tls.self_signed(folder, ["localhost"], ["127.0.0.1"], datetime.datetime.now(datetime.UTC))
    return folder / tls.CERTIFICATE_FILE


@contextmanager
def serving(pem: Path | None) -> Iterator[str]:
    """One handshake on a free port; without a certificate, a server that speaks no TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if pem is not None:
        context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            there, _ = listener.accept()
            with there:
                try:
                    if pem is not None:
                        context.wrap_socket(there, server_side=True).close()
                    else:
                        there.recv(1024)
                        there.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_a_certificate_is_believed_by_its_file_or_unseen(pem: Path) -> None:
    assert "PRIVATE KEY" in pem.read_text()
    named = read_trust(pem, insecure=False)
    assert "BEGIN CERTIFICATE" in named.ca
    assert "PRIVATE KEY" not in named.ca, "it goes to generators on other machines"
    for trust in (named, read_trust(None, insecure=True)):
        with serving(pem) as url:
            check(url, trust)


def test_an_untrusted_certificate_is_refused_with_what_to_do(pem: Path) -> None:
    with serving(pem) as url, pytest.raises(Untrusted, match=r"not trusted \(self.signed.*--ca FILE, or .*--insecure"):
        check(url, Trust())


def test_a_server_that_speaks_no_tls_is_told(pem: Path) -> None:
    with serving(None) as url, pytest.raises(Untrusted, match="TLS does not come about"):
        check(url, Trust(insecure=True))


def test_what_is_no_https_or_not_there_is_not_asked() -> None:
    check("http://127.0.0.1:1", Trust())
    check("https://127.0.0.1:1", Trust())


def test_options_that_cannot_be(pem: Path, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for file, insecure, words in (
        (pem, True, "contradict each other"),
        (tmp_path / "absent.pem", False, "cannot be read"),
        (tmp_path / "none.pem", False, "holds no certificate"),
        (tmp_path / "bad.pem", False, "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=words):
            read_trust(file, insecure=insecure)
