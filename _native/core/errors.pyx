"""The one place where a Status of the native core becomes a Python exception."""

from simplestchat._native.core.types cimport (
    E_AUTH, E_INTERNAL, E_LIMIT, E_MALFORMED, E_NOMEM, E_REPLAY, E_SHORT, E_SPACE, E_STATE, E_UNSUPPORTED,
)


LIMIT = E_LIMIT
"""The ``status`` of an error that says that something is full: nothing is wrong but the number of things."""


class NativeError(Exception):
    """Base of every error that the native core raises; ``status`` is the code of ``core/types.pxd``."""

    def __init__(self, message, status=0):
        super().__init__(message)
        self.status = status


class PeerError(NativeError):
    """The bytes of the peer are not what they should be."""


class MisuseError(NativeError):
    """The caller asked for something that this state or these arguments do not allow."""


class InternalError(NativeError):
    """A fault of ours, or of the machine (out of memory, a failed library call)."""


cdef dict _KINDS = {
    E_SHORT: (PeerError, "ends too early"),
    E_MALFORMED: (PeerError, "is malformed"),
    E_AUTH: (PeerError, "is not authentic"),
    E_REPLAY: (PeerError, "was seen before"),
    E_UNSUPPORTED: (PeerError, "is not supported"),
    E_SPACE: (MisuseError, "does not fit the buffer"),
    E_STATE: (MisuseError, "is not possible in this state"),
    E_LIMIT: (MisuseError, "passes a limit"),
    E_NOMEM: (InternalError, "found no memory"),
    E_INTERNAL: (InternalError, "failed in a library"),
}


def raise_status(int status, str what):
    """Raise the exception for a negative ``status``; ``what`` begins the message."""
    kind, words = _KINDS.get(status, (InternalError, "failed with an unknown status"))
    raise kind(f"{what} {words}", status)
