"""The TLS context: the operator's certificate, or one that this machine makes for itself and keeps."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simplestchat.config import SettingError, Settings

CERTIFICATE_FILE = "self-signed.pem"
LIFETIME = datetime.timedelta(days=397)  # browsers refuse what lives longer
RENEW_BEFORE = datetime.timedelta(days=30)
CLOCK_SKEW = datetime.timedelta(days=1)


def make_context(settings: Settings, addresses: Sequence[str], now: datetime.datetime) -> ssl.SSLContext | None:
    """Return the context for the settings, or None for plain HTTP; `addresses` are this machine's own."""
    files = _files(settings, addresses, now)
    if files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load(context, *files, settings)
    return context


def reload(context: ssl.SSLContext, settings: Settings, addresses: Sequence[str], now: datetime.datetime) -> None:
    """Give a context in use the certificate as it is now, for new connections; raises and keeps the old one."""
    files = _files(settings, addresses, now)
    if files is not None:
        # A load that fails half-way would leave a certificate without its key.
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), *files, settings)
        _load(context, *files, settings)


def _files(settings: Settings, addresses: Sequence[str], now: datetime.datetime) -> tuple[Path, Path] | None:
    """Return the files of the certificate and its key; a self-signed one is made when there is none that fits."""
    web = settings.web
    if web.tls_cert is not None and web.tls_key is not None:
        return web.tls_cert, web.tls_key
    if web.tls == "off":
        return None
    names, covered = subjects(settings, addresses)
    try:
        path = self_signed(web.state_dir, names, covered, now)
    except OSError as exc:
        allowed = f"a folder that can be written ({exc.strerror})"
        raise SettingError(settings.spelling("state_dir"), str(web.state_dir), allowed) from None
    return path, path


def _load(context: ssl.SSLContext, certificate: Path, key: Path, settings: Settings) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as exc:
        setting, path, allowed = _what_is_wrong(certificate, key)
        allowed = allowed or f"a certificate that can be used ({exc})"
        raise SettingError(settings.spelling(setting), str(path), allowed) from None


def _what_is_wrong(certificate: Path, key: Path) -> tuple[str, Path, str]:
    """Return the setting to blame, its file and what is expected instead of that; nothing when it cannot be told."""
    try:
        public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    except OSError as exc:
        return "tls_cert", certificate, f"a readable file with a certificate chain in PEM ({exc.strerror})"
    except (ValueError, UnsupportedAlgorithm):
        return "tls_cert", certificate, "a certificate chain in PEM"
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as exc:
        return "tls_key", key, f"a readable file with a private key in PEM ({exc.strerror})"
    except TypeError:
        return "tls_key", key, "a private key without a password"
    except (ValueError, UnsupportedAlgorithm):
        return "tls_key", key, "a private key in PEM, without a password"
    if _der(private.public_key()) != _der(public):
        return "tls_key", key, f"the private key that belongs to the certificate {str(certificate)!r}"
    return "tls_cert", certificate, ""


def _der(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _no_password() -> str:
    # Without this the library would ask at the terminal.
    raise ValueError("the key has a password")


def subjects(settings: Settings, addresses: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names and the addresses that people may open this server under."""
    machine = socket.gethostname()
    names = ["localhost", machine, machine.partition(".")[0] + ".local"]
    covered = [*addresses, *settings.media.announce]
    try:
        host = ipaddress.ip_address(settings.web.host)
    except ValueError:
        names.append(settings.web.host)
    else:
        if not host.is_unspecified:
            covered.append(str(host))
    usable = (name.lower() for name in names if name.isascii() and name.strip("."))
    return list(dict.fromkeys(usable)), list(dict.fromkeys(covered))


def self_signed(folder: Path, names: Sequence[str], addresses: Sequence[str], now: datetime.datetime) -> Path:
    """Return the file with a certificate and key for these; the last one is used while it fits. Raises OSError."""
    path = folder / CERTIFICATE_FILE
    if not _fits(path, {*names, *addresses}, now):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(path, _make(names, addresses, now))
    return path


def _fits(path: Path, wanted: set[str], now: datetime.datetime) -> bool:
    """Whether the file holds a certificate that is good for a while and covers every name and address."""
    if not path.exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    covered = {str(address) for address in found.get_values_for_type(x509.IPAddress)}
    covered |= set(found.get_values_for_type(x509.DNSName))
    good = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
    return good and wanted <= covered and path.stat().st_mode & 0o077 == 0


def _make(hosts: Sequence[str], addresses: Sequence[str], now: datetime.datetime) -> bytes:
    """Return a new key and its certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SimplestChat")])
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME - CLOCK_SKEW)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
