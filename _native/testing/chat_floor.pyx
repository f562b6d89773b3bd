"""The least that a chat server can do: read what has come, write the same bytes to the same sockets, understand nothing.

No JSON, no rooms that change, no bounds: who asks is answered under the number of the request, and what was said goes to
the sockets of one room, in one system call each. What it costs is the kernel's part of signaling.
"""

from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free
from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.io.system cimport (
    EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLIN, MSG_DONTWAIT, MSG_NOSIGNAL, close, epoll_create1, epoll_ctl, epoll_event, epoll_wait,
    errno, recv, send,
)
from simplestchat._native.wire.websocket cimport WS_HEAD_MAX, WS_MASK_SIZE, WsHead, ws_head, ws_mask, ws_write_text_head

cdef extern from "<string.h>" nogil:
    void* memmem(const void* hay, size_t size, const void* needle, size_t length)

cdef enum:
    EVENTS = 256
    READ_SIZE = 4096               # a request is a few hundred bytes, and its sender waits for the answer
    ORDERS = 0xFFFFFFFF            # the socket that has orders instead of a client
    LONGEST = 512

cdef const char* ID = b'"id": '
cdef const char* CLIENT_ID = b'"clientId": "'
cdef const char* SAYS = b'"chat.send"'
cdef const char* RESULT = b'{"jsonrpc":"2.0","id":%lu,"result":{"id":"0123456789abcdefghijkl","seq":%lu,"time":1700000000000}}'
cdef const char* NOTICE = (
    b'{"jsonrpc":"2.0","method":"chat.message","params":{"id":"0123456789abcdefghijkl","seq":%lu,"peerId":"0123456789abcdefghijkl",'
    b'"name":"Person 1000","text":"What was said takes as many words as people write in one line, more or less.",'
    b'"time":1700000000000,"clientId":"%lu/1"},"seq":%lu}')


# The number behind `name`; false when there is none.
cdef bint _number(const u8* data, size_t size, const char* name, size_t length, u64* out) noexcept nogil:
    cdef const u8* end = data + size
    cdef const u8* p = <const u8*> memmem(data, size, name, length)
    if p == NULL:
        return False
    p += length
    out[0] = 0
    while p < end and 48 <= p[0] <= 57:
        out[0] = out[0] * 10 + p[0] - 48
        p += 1
    return True


cdef class ChatFloor:
    """Serves clients that have been upgraded, by descriptor, in rooms of the given sizes, in that order."""

    cdef int _epoll
    cdef int* _clients
    cdef u32* _first               # of each client's room, the first member; and how many there are
    cdef u32* _members
    cdef u32 _count
    cdef u64 _said

    def __cinit__(self, list descriptors, list rooms):
        cdef epoll_event event
        cdef u32 i, first = 0
        cdef int size, descriptor
        if sum(rooms) != len(descriptors):
            raise ValueError("every client is in one room")
        self._count = <u32> len(descriptors)
        self._epoll = epoll_create1(EPOLL_CLOEXEC)
        self._clients = <int*> calloc(self._count + 1, sizeof(int))
        self._first = <u32*> calloc(self._count + 1, sizeof(u32))
        self._members = <u32*> calloc(self._count + 1, sizeof(u32))
        if self._epoll < 0 or self._clients == NULL or self._first == NULL or self._members == NULL:
            raise MemoryError
        for size in rooms:
            for i in range(first, first + size):
                self._first[i], self._members[i] = first, size
            first += size
        for i in range(self._count):
            descriptor = descriptors[i]
            self._clients[i] = descriptor
            event.events, event.data.u64 = EPOLLIN, i
            if epoll_ctl(self._epoll, EPOLL_CTL_ADD, self._clients[i], &event) < 0:
                raise OSError(errno, "a client cannot be watched")

    def __dealloc__(self):
        if self._epoll >= 0:
            close(self._epoll)
        free(self._clients)
        free(self._first)
        free(self._members)

    def serve(self, int orders):
        """Until something comes from ``orders``, or it ends. Raises AssertionError when a client hangs up, or does not read."""
        cdef epoll_event event
        cdef int status
        event.events, event.data.u64 = EPOLLIN, ORDERS
        if epoll_ctl(self._epoll, EPOLL_CTL_ADD, orders, &event) < 0:
            raise OSError(errno, "orders cannot be watched")
        with nogil:
            status = self._loop()
        assert status == 0, "a client hung up, sent something odd, or did not read"

    cdef int _loop(self) noexcept nogil:
        cdef epoll_event events[EVENTS]
        cdef int i, count
        while True:
            count = epoll_wait(self._epoll, events, EVENTS, -1)
            for i in range(count):
                if events[i].data.u64 == ORDERS:
                    return 0
                if not self._read(<u32> events[i].data.u64):
                    return -1

    cdef bint _read(self, u32 client) noexcept nogil:
        cdef u8 data[READ_SIZE]
        cdef WsHead head
        cdef size_t at = 0
        cdef ssize_t size = recv(self._clients[client], data, READ_SIZE, MSG_DONTWAIT)
        if size <= 0:
            return False
        while at < <size_t> size:
            if ws_head(data + at, <size_t> size - at, &head) < 0 or not head.masked or head.payload > <size_t> size - at - head.size:
                return False
            at += head.size
            ws_mask(data + at, data + at, <size_t> head.payload, data + at - WS_MASK_SIZE)
            if not self._request(client, data + at, <size_t> head.payload):
                return False
            at += <size_t> head.payload
        return True

    cdef bint _request(self, u32 client, const u8* data, size_t size) noexcept nogil:
        cdef u8 out[2 * LONGEST]
        cdef u64 id, said
        cdef size_t answer, notice
        cdef u32 i
        if not _number(data, size, ID, 6, &id):
            return False
        answer = _frame(out, RESULT, id, id, id)
        if memmem(data, size, SAYS, 11) == NULL:
            return self._send(client, out, answer)
        if not _number(data, size, CLIENT_ID, 13, &said):
            return False
        self._said += 1
        # Who asked gets both in one call, as from a server that gathers.
        notice = _frame(out + answer, NOTICE, self._said, said, self._said)
        if not self._send(client, out, answer + notice):
            return False
        for i in range(self._first[client], self._first[client] + self._members[client]):
            if i != client and not self._send(i, out + answer, notice):
                return False
        return True

    cdef bint _send(self, u32 client, const u8* data, size_t size) noexcept nogil:
        return send(self._clients[client], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == <ssize_t> size


# A whole text frame of this format and numbers, at `out`, which has room for LONGEST; its size.
cdef size_t _frame(u8* out, const char* form, u64 a, u64 b, u64 c) noexcept nogil:
    cdef char text[LONGEST]
    cdef int size = snprintf(text, LONGEST - WS_HEAD_MAX, form, a, b, c)
    cdef size_t head = ws_write_text_head(out, <u64> size)
    cdef int i
    for i in range(size):
        out[head + <size_t> i] = <u8> text[i]
    return head + <size_t> size
