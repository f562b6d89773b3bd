"""Lets the kernel refuse a system call of this thread, and of those it starts, for good (seccomp(2))."""

from __future__ import annotations

import ctypes
import platform
import struct

SENDMMSG = {"x86_64": 307, "aarch64": 269}
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("size", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_sendmmsg(error: int) -> None:
    """From now on ``sendmmsg`` fails with this errno."""
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = [
        (_LOAD_WORD, 0, 0, 0),  # the call's number
        (_JUMP_IF_EQUAL, 0, 1, SENDMMSG[platform.machine()]),
        (_RETURN, 0, 0, _ERRNO | error),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *each) for each in instructions)
    program = _Program(len(instructions), code)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "no filter of system calls could be set")
