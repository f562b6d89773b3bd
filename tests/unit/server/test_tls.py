from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from simplestchat.config import Media, Settings, Web
from simplestchat.errors import ConfigError
from simplestchat.server import tls

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ADDRESSES = ["192.0.2.1", "2001:db8::1", "127.0.0.1"]
NAMES = ["localhost", "machine.example", "machine.local"]


def self_signing(folder: Path) -> Settings:
    return Settings(web=Web(state_dir=folder, tls="self-signed"))


def with_files(certificate: Path, key: Path) -> Settings:
    given = {"tls_cert": "SIMPLESTCHAT_TLS_CERT", "tls_key": "SIMPLESTCHAT_TLS_KEY"}
    return Settings(web=Web(tls_cert=certificate, tls_key=key), given=given)


def test_off_is_off(tmp_path: Path) -> None:
    assert tls.make_context(Settings(web=Web(state_dir=tmp_path)), ADDRESSES, NOW) is None
    assert list(tmp_path.iterdir()) == []


def test_certificate_names_this_machine_and_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "deep"
    path = tls.self_signed(folder, NAMES, ADDRESSES, NOW)
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(address) for address in ADDRESSES]
    assert names.get_values_for_type(x509.DNSName) == NAMES
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= datetime.timedelta(days=398)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [entry.name for entry in folder.iterdir()] == [path.name]


def test_certificate_is_used_again_while_it_fits(tmp_path: Path) -> None:
    first = tls.self_signed(tmp_path, NAMES, ADDRESSES, NOW).read_bytes()
    assert tls.self_signed(tmp_path, NAMES, ADDRESSES[:2], NOW + datetime.timedelta(days=300)).read_bytes() == first


@pytest.mark.parametrize("change", ["address", "age", "mode", "garbage"])
def test_certificate_that_does_not_fit_is_made_anew(tmp_path: Path, change: str) -> None:
    path = tls.self_signed(tmp_path, NAMES, ADDRESSES, NOW)
    first = path.read_bytes()
    addresses, now = list(ADDRESSES), NOW
    if change == "address":
        addresses.append("192.0.2.9")
    elif change == "age":
        now += datetime.timedelta(days=390)
    elif change == "mode":
        path.chmod(0o644)
    else:
        path.write_bytes(b"garbage")
    assert tls.self_signed(tmp_path, NAMES, addresses, now).read_bytes() != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_context_takes_it_and_refuses_old_versions(tmp_path: Path) -> None:
    context = tls.make_context(self_signing(tmp_path), ADDRESSES, NOW)
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_state_that_cannot_be_written_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"^--state-dir: "):
        tls.make_context(self_signing(tmp_path / "file" / "state"), ADDRESSES, NOW)


def test_it_covers_whatever_people_may_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls.socket, "gethostname", lambda: "Machine.example")
    settings = Settings(web=Web(host="chat.example"), media=Media(announce=("198.51.100.1", "192.0.2.1")))
    names, addresses = tls.subjects(settings, ADDRESSES)
    assert names == ["localhost", "machine.example", "machine.local", "chat.example"]
    assert addresses == [*ADDRESSES, "198.51.100.1"]
    for host, covered in (("::", ADDRESSES), ("192.0.2.8", [*ADDRESSES, "192.0.2.8"])):
        assert tls.subjects(Settings(web=Web(host=host)), ADDRESSES)[1] == covered


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\n"])
def test_files_that_hold_no_certificate_are_told_by_their_setting(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "certificate.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^SIMPLESTCHAT_TLS_CERT: '{path}' "):
        tls.make_context(with_files(path, path), ADDRESSES, NOW)


def wrong_key(case: str, path: Path, certificate: Path) -> None:
    """Write a key file that cannot be used with the certificate."""
    if case == "other":
        path.write_bytes(tls.self_signed(path.parent / "other", NAMES, ADDRESSES, NOW).read_bytes())
    elif case == "other kind":
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True, env=os.environ)
    elif case == "password":
        command = ["openssl", "pkey", "-in", certificate, "-aes256", "-passout", "pass:x", "-out", path]
        subprocess.run(command, check=True, env=os.environ)
    elif case == "no key":
        path.write_text("-----BEGIN CERTIFICATE-----\n")
    elif case == "a folder":
        path.mkdir()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", "No such file"),
        ("a folder", "Is a directory"),
        ("no key", "a private key in PEM"),
        ("password", "without a password"),
        ("other", "belongs to the certificate"),
        ("other kind", "belongs to the certificate"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_by_its_setting(tmp_path: Path, case: str, words: str) -> None:
    certificate, key = tls.self_signed(tmp_path, NAMES, ADDRESSES, NOW), tmp_path / "key.pem"
    wrong_key(case, key, certificate)
    with pytest.raises(ConfigError, match=rf"^SIMPLESTCHAT_TLS_KEY: '{key}' .*{words}"):
        tls.make_context(with_files(certificate, key), ADDRESSES, NOW)
