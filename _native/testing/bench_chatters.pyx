"""Many WebSocket clients in one epoll loop, cheap enough that what they measure is the server.

Every client checks the order of what it is told. Requests are sent when they are due, whatever was answered until then,
and latencies count from that time.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy
from simplestchat._native.core.types cimport OK, u8, u32, u64
from simplestchat._native.io.clock cimport clock_ns
from simplestchat._native.io.system cimport (
    CLOCK_MONOTONIC, EAGAIN, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLIN, MSG_DONTWAIT, MSG_NOSIGNAL, close, epoll_create1,
    epoll_ctl, epoll_event, errno, nanosecond_epoll_wait, recv, send, timespec,
)
from simplestchat._native.wire.websocket cimport WsHead, ws_head

cdef extern from "<string.h>" nogil:
    void* memmem(const void* hay, size_t size, const void* needle, size_t length)

cdef enum:
    BUFFER = 2097152
    EVENTS = 256
    TEXT = 0x81
    PING = 0x89
    # What went wrong.
    HUNG_UP = -1
    ODD_FRAME = -2
    ODD_MESSAGE = -3
    OUT_OF_ORDER = -4
    NOT_SENT = -5
    TOO_LATE = -6
    NO_MEMORY = -7

cdef dict _FAULTS = {
    HUNG_UP: "the server hung up",
    ODD_FRAME: "a frame is not one of a server",
    ODD_MESSAGE: "a message is not what was asked for",
    OUT_OF_ORDER: "notices are out of order",
    NOT_SENT: "a request could not be sent whole",
    TOO_LATE: "it took too long",
    NO_MEMORY: "no memory",
}

cdef const char* ANSWER = b'{"jsonrpc":"2.0","id":'
cdef const char* RESULT = b',"result":'
cdef const char* CLIENT_ID = b'"clientId":"'
cdef const char* SEQ = b'"seq":'
cdef const char* PONG = b"\x8a\x80\0\0\0\0"

cdef struct Client:
    int descriptor
    u64 last_seq
    u8* partial
    size_t partial_size

cdef struct Asked:
    u32 client
    const u8* frame
    size_t size
    double due_s


cdef double _now() noexcept nogil:
    return 1e-9 * <double>clock_ns(CLOCK_MONOTONIC)


# Digits at `p`; -1 when there is none before `end`.
cdef long long _number(const u8* p, const u8* end) noexcept nogil:
    cdef long long value = 0
    if p >= end or not 48 <= p[0] <= 57:
        return -1
    while p < end and 48 <= p[0] <= 57 and value < 1000000000:
        value = value * 10 + p[0] - 48
        p += 1
    return value


cdef class ChatterLoop:
    """Clients by number; ``answers_s`` and ``notices_s`` are the latencies of the latest run, in order of arrival."""

    cdef int _epoll
    cdef Client* _clients
    cdef u32 _count
    cdef u8* _buffer
    cdef Asked* _asked
    cdef u32 _asked_count, _next
    cdef list _frames              # keeps what `_asked` points into
    cdef double* _latencies        # of answers from the front, of notices behind as many as there are requests
    cdef u64 _latencies_room
    cdef u8* _fault_at
    cdef size_t _fault_size
    cdef readonly u64 answered
    cdef readonly u64 delivered
    cdef readonly u64 timed        # notices whose request is known
    #: Seconds that were spent on anything but waiting.
    cdef readonly double busy_s

    def __cinit__(self):
        self._epoll = epoll_create1(EPOLL_CLOEXEC)
        self._buffer = <u8*> malloc(BUFFER)
        if self._epoll < 0 or self._buffer == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef u32 i
        if self._epoll >= 0:
            close(self._epoll)
        for i in range(self._count):
            free(self._clients[i].partial)
        free(self._clients)
        free(self._buffer)
        free(self._asked)
        free(self._latencies)

    def add(self, int descriptor):
        """A client that has been upgraded; its socket stays the caller's."""
        cdef epoll_event event
        cdef Client* grown = <Client*> realloc(self._clients, (self._count + 1) * sizeof(Client))
        if grown == NULL:
            raise MemoryError
        self._clients = grown
        self._clients[self._count] = Client(descriptor=descriptor, last_seq=0, partial=NULL, partial_size=0)
        event.events = EPOLLIN
        event.data.u64 = self._count
        if epoll_ctl(self._epoll, EPOLL_CTL_ADD, descriptor, &event) < 0:
            raise OSError(errno, "a client cannot be watched")
        self._count += 1

    def run(self, list requests, u64 notices, *, u32 at_once=0, double quiet_s=0.0, double timeout_s=60.0, bint sleep=True):
        """Send requests, (when in seconds from now, client, frame), whose ids count up from 0; wait for all answers and for so
        many notices, then until nothing came for ``quiet_s``. The seconds that it took.

        ``at_once``: send as soon as no more than so many are unanswered, whatever their times are. Unless ``sleep``, the
        kernel is asked again and again: nobody who sends to us has to wake us.
        """
        cdef u32 i
        cdef int status
        cdef double began = _now()
        self._take_requests(requests, notices, began)
        with nogil:
            status = self._loop(notices, at_once, quiet_s, began + timeout_s, sleep)
        if status < 0:
            odd = bytes(self._fault_at[:<Py_ssize_t> min(self._fault_size, <size_t> 300)]) if self._fault_size else b""
            raise AssertionError(
                f"{_FAULTS[status]}: {self.answered} of {len(requests)} answers, {self.delivered} of {notices} notices {odd!r}"
            )
        return _now() - began

    cdef int _take_requests(self, list requests, u64 notices, double began) except -1:
        cdef u32 i
        cdef bytes frame
        cdef u32 number
        cdef double when
        free(self._asked)
        free(self._latencies)
        self._asked_count, self._next = <u32> len(requests), 0
        self._latencies_room = notices
        self._asked = <Asked*> calloc(self._asked_count + 1, sizeof(Asked))
        self._latencies = <double*> calloc(self._asked_count + notices + 1, sizeof(double))
        if self._asked == NULL or self._latencies == NULL:
            raise MemoryError
        self._frames = [frame for _, _, frame in requests]
        for i in range(self._asked_count):
            when, number, frame = requests[i]
            if number >= self._count:
                raise IndexError("there is no such client")
            self._asked[i] = Asked(client=number, frame=<const u8*> PyBytes_AS_STRING(frame),
                                   size=<size_t> PyBytes_GET_SIZE(frame), due_s=began + when)
        self.answered = self.delivered = self.timed = 0
        self.busy_s = 0.0
        self._fault_size = 0
        return 0

    @property
    def answers_s(self):
        return [self._latencies[i] for i in range(self.answered)]

    @property
    def notices_s(self):
        return [self._latencies[self._asked_count + i] for i in range(self.timed)]

    cdef int _loop(self, u64 notices, u32 at_once, double quiet_s, double deadline, bint sleep) noexcept nogil:
        cdef epoll_event events[EVENTS]
        cdef timespec pause
        cdef double now = _now(), heard_at = now, wait, begun
        cdef int count, i, status
        while self._next < self._asked_count or self.answered < self._asked_count or self.delivered < notices or now < heard_at + quiet_s:
            if now > deadline:
                return TOO_LATE
            begun = now
            status = self._ask(now, at_once)
            if status < 0:
                return status
            wait = 0.0
            if sleep:
                wait = quiet_s if self._next == self._asked_count and quiet_s > 0 else 0.1
                if self._next < self._asked_count and not at_once:
                    wait = min(0.1, max(0.0, self._asked[self._next].due_s - _now()))
            if wait > 0.0:
                self.busy_s += _now() - begun
            pause.tv_sec = <long> wait
            pause.tv_nsec = <long> ((wait - <double> pause.tv_sec) * 1e9)
            count = nanosecond_epoll_wait(self._epoll, events, EVENTS, &pause)
            now = _now()
            if wait > 0.0:
                begun = now
            for i in range(count):
                status = self._read(&self._clients[events[i].data.u64])
                if status < 0:
                    return status
            if count > 0:
                heard_at = now
                now = _now()
                self.busy_s += now - begun
        return OK

    cdef int _ask(self, double now, u32 at_once) noexcept nogil:
        cdef Asked* asked
        while self._next < self._asked_count:
            asked = &self._asked[self._next]
            if self._next - self.answered >= at_once if at_once else asked.due_s > now:
                return OK
            if at_once:
                asked.due_s = now
            if send(self._clients[asked.client].descriptor, asked.frame, asked.size, MSG_DONTWAIT | MSG_NOSIGNAL) != <ssize_t> asked.size:
                return NOT_SENT
            self._next += 1
        return OK

    cdef int _read(self, Client* client) noexcept nogil:
        cdef size_t have = client.partial_size, at = 0
        cdef WsHead head
        cdef int status
        cdef ssize_t size
        if have:
            memcpy(self._buffer, client.partial, have)
        size = recv(client.descriptor, self._buffer + have, BUFFER - have, MSG_DONTWAIT)
        if size <= 0:
            return OK if size < 0 and errno == EAGAIN else HUNG_UP
        now = _now()
        have += <size_t> size
        while ws_head(self._buffer + at, have - at, &head) == OK and head.payload <= have - at - head.size:
            at += head.size
            status = self._frame(client, head, self._buffer + at, now)
            if status < 0:
                self._fault_at, self._fault_size = self._buffer + at, <size_t> head.payload
                return status
            at += <size_t> head.payload
        return self._keep(client, self._buffer + at, have - at)

    cdef int _keep(self, Client* client, const u8* data, size_t size) noexcept nogil:
        free(client.partial)
        client.partial, client.partial_size = NULL, size
        if size:
            client.partial = <u8*> malloc(size)
            if client.partial == NULL or size >= BUFFER:
                return NO_MEMORY
            memcpy(client.partial, data, size)
        return OK

    cdef int _frame(self, Client* client, WsHead head, const u8* data, double now) noexcept nogil:
        if head.first == PING:
            return OK if send(client.descriptor, PONG, 6, MSG_DONTWAIT | MSG_NOSIGNAL) == 6 else NOT_SENT
        if head.first != TEXT or head.masked:
            return ODD_FRAME
        if head.payload > 22 and memcmp(data, ANSWER, 22) == 0:
            return self._answer(data + 22, data + head.payload, now)
        return self._notice(client, data, data + head.payload, now)

    cdef int _answer(self, const u8* data, const u8* end, double now) noexcept nogil:
        cdef long long id = _number(data, end)
        while data < end and data[0] != 44:
            data += 1
        if id < 0 or <u64> id >= self._next or end - data < 10 or memcmp(data, RESULT, 10) != 0 or self.answered >= self._asked_count:
            return ODD_MESSAGE
        self._latencies[self.answered] = now - self._asked[id].due_s
        self.answered += 1
        return OK

    cdef int _notice(self, Client* client, const u8* data, const u8* end, double now) noexcept nogil:
        cdef const u8* p = end - 2       # the number is the last member
        cdef long long seq, id
        cdef u8* said
        while p > data and 48 <= p[0] <= 57:
            p -= 1
        seq = _number(p + 1, end)
        if p - data < 6 or memcmp(p - 5, SEQ, 6) != 0 or seq < 0:
            return ODD_MESSAGE
        if <u64> seq <= client.last_seq:
            return OUT_OF_ORDER
        client.last_seq = <u64> seq
        self.delivered += 1
        said = <u8*> memmem(data, <size_t> (end - data), CLIENT_ID, 12)
        if said != NULL:
            id = _number(said + 12, end)
            if id < 0 or <u64> id >= self._next:
                return ODD_MESSAGE
            if self.timed < self._latencies_room:
                self._latencies[self._asked_count + self.timed] = now - self._asked[id].due_s
                self.timed += 1
        return OK
