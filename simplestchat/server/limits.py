"""What the operating system lets this process have."""

from __future__ import annotations

import resource


def raise_file_limit() -> int:
    """Raise the number of files that may be open to what the system allows; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
