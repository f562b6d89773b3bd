"""Which certificates of a server the clients of a run believe."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from simplestchat.errors import ConfigError

TIMEOUT_S: Final = 10.0
MAX_BYTES: Final = 4 * 1024 * 1024
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Untrusted(ConfigError):
    """The server's certificate is not believed, or it speaks no TLS."""

    reason = "untrusted"


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of it on the command line; it goes to the generators, on other machines too."""

    insecure: bool = False
    """Any certificate is believed."""
    ca: str = ""
    """PEM certificates that are believed, or whose signatures are; empty: those that the machine believes."""

    def context(self) -> ssl.SSLContext:
        """For connections of clients."""
        context = ssl.create_default_context(cadata=self.ca or None)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def read_trust(ca: Path | None, *, insecure: bool) -> Trust:
    """What the options say. Raises ``ConfigError``. Of a file only certificates are taken: a key may stand beside."""
    if ca is None:
        return Trust(insecure=insecure)
    if insecure:
        raise ConfigError("--ca FILE and --insecure contradict each other; leave out one of them.")
    try:
        with ca.open(encoding="ascii", errors="replace") as file:
            text = "\n".join(_CERTIFICATE.findall(file.read(MAX_BYTES)))
        if not text:
            raise ConfigError(f"--ca {ca}: holds no certificate. Name a file in PEM form.")
        Trust(ca=text).context()
    except OSError as error:  # what OpenSSL says is one, too
        raise ConfigError(f"--ca {ca}: cannot be read ({error.strerror or error}). Name a file in PEM form.") from None
    return Trust(ca=text)


def check(url: str, trust: Trust) -> None:
    """Shake hands with an https server once. Raises ``Untrusted``; one that cannot be reached is not told here."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return
    try:
        with socket.create_connection((parts.hostname, parts.port or 443), TIMEOUT_S) as plain:
            trust.context().wrap_socket(plain, server_hostname=parts.hostname).close()
    except ssl.SSLError as error:
        raise Untrusted(f"{url}: {refusal(error)}") from None
    except OSError:
        return


def refusal(error: ssl.SSLError) -> str:
    """Why there is no TLS, in words that say what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}). Name it or its authority with --ca FILE, or "
            "believe it unseen with --insecure."
        )
    return f"TLS does not come about ({error.reason or error}). Is it an https:// server?"
