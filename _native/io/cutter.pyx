"""Cuts a WebSocket client's bytes into frames. Whole plain text frames, nearly all that comes, are read here; the bytes
of every other frame are for a protocol that knows all the rules.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from simplestchat._native.core.types cimport u8, u64
from simplestchat._native.wire.websocket cimport WS_MASK_SIZE, WS_TEXT_WHOLE, WsHead, ws_head, ws_mask

cdef enum:
    PLAIN_HEAD = 8                 # a longer header announces more than a message may have


cdef class Cutter:
    """Knows where frames begin. Feed it what arrives, then take the pieces one by one."""

    cdef bytes _data
    cdef Py_ssize_t _at
    cdef u64 _foreign              # bytes still to come of a frame that is the protocol's

    def __cinit__(self):
        self._data = b""

    def feed(self, bytes data not None):
        """Take bytes; what is left of the last ones is at most a part of a frame's header."""
        self._data = data if self._at == PyBytes_GET_SIZE(self._data) else self._data[self._at:] + data
        self._at = 0

    def piece(self, bint plain):
        """The next text and True, or bytes for the protocol and False; None when there is nothing more for now.

        Unless ``plain``, everything is for the protocol.
        """
        cdef const u8* begin = <const u8*> PyBytes_AS_STRING(self._data) + self._at
        cdef size_t have = <size_t> (PyBytes_GET_SIZE(self._data) - self._at)
        cdef WsHead head
        if have == 0:
            return None
        if self._foreign == 0:
            if ws_head(begin, have, &head) < 0:
                return None
            if (plain and head.masked and head.first == WS_TEXT_WHOLE and head.size <= PLAIN_HEAD
                    and head.payload <= have - head.size):
                self._at += <Py_ssize_t> (head.size + head.payload)
                return _text(begin + head.size, <size_t> head.payload), True
            # Nobody has that much to send: the protocol refuses such a frame by its header, wherever it ends.
            self._foreign = head.size + min(head.payload, <u64> 1 << 62)
        have = <size_t> min(<u64> have, self._foreign)
        self._foreign -= have
        self._at += <Py_ssize_t> have
        return PyBytes_FromStringAndSize(<const char*> begin, <Py_ssize_t> have), False


cdef bytes _text(const u8* masked, size_t size):
    cdef bytes text = PyBytes_FromStringAndSize(NULL, <Py_ssize_t> size)
    ws_mask(<u8*> PyBytes_AS_STRING(text), masked, size, masked - WS_MASK_SIZE)
    return text
