"""What encrypts media: OpenSSL, or ipsec-mb where a machine has it."""

from __future__ import annotations

from simplestchat._native.crypto import srtp_backend


def ipsec_mb_problem() -> str | None:
    """Say why ipsec-mb cannot be used on this machine; None when it can. Loads it, and tries it beside OpenSSL."""
    return srtp_backend.problem()


def ipsec_mb_version() -> str | None:
    """Return the version of the ipsec-mb that was loaded; None when none was."""
    return srtp_backend.version()
