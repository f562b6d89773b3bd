"""Many receivers for one thread: a swarm's loop that connects its paths as any, and then only counts what most of them receive.

Of a datagram with media, the first bytes are read: enough to see whose it is, which in the row, and when the kernel got it. What is not
media goes to the swarm, so that paths stay connected. Of a sample of the receivers everything goes there, to be opened and checked.

Sockets are looked at one after the other, then the thread naps. Nothing waits for them, so that what it costs to send to them is the
kernel's queueing alone. For the same reason they take no trains (UDP_GRO), as browsers' do not, unless that is asked for.
"""

cimport cython
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

import os
import socket as python_socket

from simplestchat._native.core.bytes cimport get16, get32
from simplestchat._native.core.errors import MisuseError
from simplestchat._native.core.histogram cimport Histogram, histogram_add, histogram_clear, histogram_take
from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport E_STATE, u16, u32, u64, u8, us_t
from simplestchat._native.io.clock cimport NS_PER_S, NS_PER_US, clock_ns
from simplestchat._native.io.sockets cimport Sockets, monotonic_us, sockets_close, sockets_free, sockets_new, sockets_open, sockets_send
from simplestchat._native.io.system cimport (
    AF_INET, CLOCK_MONOTONIC, CLOCK_REALTIME, CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, EPOLL_CLOEXEC, MSG_DONTWAIT, MSG_TRUNC,
    SCM_TIMESTAMPNS, SOL_SOCKET, SOL_UDP, UDP_GRO, close, cmsghdr, connect, epoll_create1, epoll_ctl, epoll_event, errno,
    htons, iovec, mmsghdr, msghdr, nanosleep, recvmmsg, setsockopt, sockaddr, sockaddr_in, socklen_t, timespec,
)
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.path cimport PATH_CONNECTED
from simplestchat._native.peer.swarm cimport Swarm
from simplestchat._native.testing.publisher cimport PUBLISHER_RING, Publisher
from simplestchat._native.wire.demux cimport KIND_RTP, demux
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE

cdef extern from "<sys/epoll.h>" nogil:
    int EPOLL_CTL_DEL

cdef extern from "<sys/socket.h>" nogil:
    int SO_MEMINFO
    int getsockopt(int fd, int level, int option, void* value, socklen_t* size)

cdef enum:
    READS = 32                     # datagrams of one call
    SHORT_SIZE = 256               # a check's answer or a report is whole in it
    WHOLE_SIZE = 65536             # the largest piece that UDP_GRO puts together
    WHOLE_READS = 8
    CONTROL_SIZE = 128
    CALLS = 16                     # reads of one socket before the next has its turn
    NAP_US = 2000                  # more often costs the senders cold caches, more rarely their packets do
    SHORTEST_NAP_US = 200
    MEMINFO_DROPS = 8
    MEMINFO_COUNT = 9

# What one path gets.
cdef struct Seat:
    Path* path
    u32 ssrc                       # of its media; 0: any
    u8 media                       # it receives some
    u8 checked                     # the swarm sees all of it
    u16 last                       # sequence number
    u16 offset                     # of its sequence numbers from the publisher's
    u64 packets                    # in time
    u64 late                       # too long after the publisher's last one
    u64 breaks                     # that were not the next in the row
    u64 strange                    # media with another SSRC
    u64 cut                        # what is not media and not whole
    u32 dropped_before             # by the kernel, until the counts began

# Buffers for one recvmmsg.
cdef struct Tray:
    int count
    int size                       # of a buffer
    mmsghdr headers[READS]
    iovec vectors[READS]
    u8 control[READS][CONTROL_SIZE]


cdef us_t _clock(void* loop) noexcept nogil:
    return monotonic_us()


cdef void _wake(void* loop) noexcept nogil:
    """A nap is short enough."""


cdef void _lay(Tray* tray, u8* data, int count, int size) noexcept nogil:
    cdef int i
    tray.count, tray.size = count, size
    for i in range(count):
        tray.vectors[i].iov_base = data + i * size
        tray.vectors[i].iov_len = size
        tray.headers[i].msg_hdr.msg_iov = &tray.vectors[i]
        tray.headers[i].msg_hdr.msg_iovlen = 1
        tray.headers[i].msg_hdr.msg_control = tray.control[i]


cdef void _read_control(msghdr* message, us_t* arrival_ns, u32* segment) noexcept nogil:
    """When it came on the wall clock, and how long each datagram in it is."""
    cdef cmsghdr* header = CMSG_FIRSTHDR(message)
    cdef timespec* stamp
    cdef int size
    while header != NULL:
        if header.cmsg_level == SOL_SOCKET and header.cmsg_type == SCM_TIMESTAMPNS:
            stamp = <timespec*>CMSG_DATA(header)
            arrival_ns[0] = <us_t>stamp.tv_sec * NS_PER_S + stamp.tv_nsec
        elif header.cmsg_level == SOL_UDP and header.cmsg_type == UDP_GRO:
            memcpy(&size, CMSG_DATA(header), sizeof(size))
            if size > 0:
                segment[0] = <u32>size
        header = CMSG_NXTHDR(message, header)


@cython.final
cdef class Sink:
    """See sink.pyi. Everything but the sockets' contents is under the swarm's lock, which a turn holds."""

    cdef readonly Swarm swarm
    cdef Sockets* sockets
    cdef int epoll                 # sockets are made for one; these leave it at once
    cdef int trains
    cdef volatile bint stopping
    cdef Seat* seats
    cdef int seat_count
    cdef int seat_capacity
    cdef Publisher publisher
    cdef us_t patience_ns
    cdef us_t behind_ns            # wall clock - monotonic clock
    cdef Histogram latency
    cdef Tray short
    cdef Tray whole
    cdef u8 short_data[READS][SHORT_SIZE]
    cdef u8 whole_data[WHOLE_READS][WHOLE_SIZE]

    def __cinit__(self, bytes seed, *, int receive_buffer=1048576, bint trains=False, str bind="127.0.0.1", str suites=""):
        address = python_socket.inet_aton(bind)
        self.swarm = Swarm(seed, suites)
        self.trains = trains
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll < 0:
            raise OSError(errno, os.strerror(errno))
        self.sockets = sockets_new(self.epoll, address, <int>len(address), receive_buffer)
        if self.sockets == NULL:
            raise MemoryError
        _lay(&self.short, &self.short_data[0][0], READS, SHORT_SIZE)
        _lay(&self.whole, &self.whole_data[0][0], WHOLE_READS, WHOLE_SIZE)
        histogram_clear(&self.latency)
        self.swarm.attach(_clock, _wake, <void*>self)

    def __dealloc__(self):
        if self.sockets != NULL:
            self.swarm.attach(NULL, NULL, NULL)
        sockets_free(self.sockets)
        if self.epoll >= 0:
            close(self.epoll)
        free(self.seats)

    # What is asked of it, from any thread.

    def add(self, u32 path, *, u32 ssrc=0, bint media=True, bint checked=False):
        """Reads a path of the swarm from now on."""
        cdef u64 value
        cdef Seat* seat
        cdef void* grown
        self.swarm._enter()
        try:
            if not table64_get(&self.swarm.s.by_path, path, &value):
                raise MisuseError(f"there is no path {path}", E_STATE)
            if self.seat_count == self.seat_capacity:
                grown = realloc(self.seats, (self.seat_capacity * 2 + 64) * sizeof(Seat))
                if grown == NULL:
                    raise MemoryError
                self.seats = <Seat*>grown
                self.seat_capacity = self.seat_capacity * 2 + 64
            seat = &self.seats[self.seat_count]
            memset(seat, 0, sizeof(Seat))
            seat.path, seat.ssrc, seat.media, seat.checked = <Path*>value, ssrc, media, checked
            self.seat_count += 1
        finally:
            self.swarm._leave()

    def anchor(self, Publisher publisher not None):
        """The last packet of every receiver is the publisher's last one: from there, each one's time of leaving is known."""
        cdef int i
        self.swarm._enter()
        self.publisher = publisher
        for i in range(self.seat_count):
            self.seats[i].offset = <u16>(self.seats[i].last - (publisher.index - 1))
        self.swarm._leave()

    def begin(self, us_t patience_us=30000):
        """Counts anew."""
        cdef Seat* seat
        cdef int i
        self.swarm._enter()
        self.patience_ns = patience_us * NS_PER_US
        histogram_clear(&self.latency)
        for i in range(self.seat_count):
            seat = &self.seats[i]
            seat.packets = seat.late = seat.breaks = seat.strange = seat.cut = 0
            seat.dropped_before = _drops(seat.path.socket)
        self.swarm._leave()

    def turn_to(self, int port):
        """All receivers of media take datagrams from this port of 127.0.0.1 and no other."""
        cdef sockaddr_in name
        cdef int i
        memset(&name, 0, sizeof(name))
        name.sin_family, name.sin_port = AF_INET, htons(port)
        memcpy(&name.sin_addr, b"\x7f\0\0\1", 4)
        self.swarm._enter()
        try:
            for i in range(self.seat_count):
                if self.seats[i].media and connect(self.seats[i].path.socket, <sockaddr*>&name, sizeof(name)) != 0:
                    raise OSError(errno, os.strerror(errno))
        finally:
            self.swarm._leave()

    def descriptors(self):
        """The sockets of the receivers of media, -1 for those that have none yet, in the order of `add`."""
        cdef int i
        self.swarm._enter()
        descriptors = [self.seats[i].path.socket for i in range(self.seat_count) if self.seats[i].media]
        self.swarm._leave()
        return descriptors

    def counts(self):
        """(packets, late, breaks, strange, cut, dropped by the kernel) of each receiver of media, in the order of `add`."""
        cdef Seat* seat
        cdef int i
        self.swarm._enter()
        rows = []
        for i in range(self.seat_count):
            seat = &self.seats[i]
            if seat.media:
                dropped = <u32>(_drops(seat.path.socket) - seat.dropped_before)
                rows.append((seat.packets, seat.late, seat.breaks, seat.strange, seat.cut, dropped))
        self.swarm._leave()
        return rows

    def take_latency(self):
        """Microseconds from a packet's leaving to its arrival, of all since `begin`."""
        self.swarm._enter()
        data = histogram_take(&self.latency)
        self.swarm._leave()
        return data

    def stop(self):
        """Ends run()."""
        self.stopping = True

    def run(self):
        """Returns after stop()."""
        with nogil:
            while not self.stopping:
                self._nap(self._turn())

    # The loop.

    cdef us_t _turn(self) noexcept nogil:
        """Returns when the swarm's next one is due."""
        cdef us_t deadline
        cdef int i
        self.swarm.lock()
        self.behind_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC)
        self._serve()
        for i in range(self.seat_count):
            self._read(&self.seats[i])
        while self.swarm.run_timers(monotonic_us()):
            self._send()
        self._send()
        self._bury()
        self.swarm.give_way()
        deadline = self.swarm.deadline()
        self.swarm.unlock()
        return deadline

    cdef void _nap(self, us_t deadline) noexcept nogil:
        cdef timespec span
        span.tv_sec = 0
        span.tv_nsec = max(<us_t>SHORTEST_NAP_US, min(deadline - monotonic_us(), <us_t>NAP_US)) * NS_PER_US
        nanosleep(&span, NULL)

    cdef void _serve(self) noexcept nogil:
        cdef Path* p = self.swarm.next_wanting()
        cdef epoll_event unused
        while p != NULL:
            p.rebind = False
            if sockets_open(self.sockets, p) == 0:
                epoll_ctl(self.epoll, EPOLL_CTL_DEL, p.socket, &unused)
                setsockopt(p.socket, SOL_UDP, UDP_GRO, &self.trains, sizeof(self.trains))
            else:
                self.swarm.no_socket(p)
            p = self.swarm.next_wanting()

    cdef void _send(self) noexcept nogil:
        if self.swarm.s.out.count:
            sockets_send(self.sockets, &self.swarm.s.out)
            self.swarm.sent(monotonic_us())

    cdef void _bury(self) noexcept nogil:
        cdef Path* p = self.swarm.next_gone()
        cdef int i
        while p != NULL:
            for i in range(self.seat_count - 1, -1, -1):
                if self.seats[i].path == p:
                    self.seat_count -= 1
                    self.seats[i] = self.seats[self.seat_count]
            sockets_close(self.sockets, p)
            self.swarm.release(p)
            p = self.swarm.next_gone()

    cdef void _read(self, Seat* seat) noexcept nogil:
        cdef bint wholly = seat.checked or not seat.media or seat.path.state != PATH_CONNECTED
        cdef Tray* tray = &self.whole if wholly else &self.short
        cdef int call, count, i
        if seat.path.socket < 0:
            return
        for call in range(CALLS):
            for i in range(tray.count):
                tray.headers[i].msg_hdr.msg_controllen = CONTROL_SIZE
            count = recvmmsg(seat.path.socket, tray.headers, tray.count, MSG_DONTWAIT | MSG_TRUNC, NULL)
            for i in range(count):
                self._take(seat, tray, i, wholly)
            if count < tray.count:
                return

    cdef void _take(self, Seat* seat, Tray* tray, int i, bint wholly) noexcept nogil:
        cdef const u8* data = <const u8*>tray.vectors[i].iov_base
        cdef u32 size = tray.headers[i].msg_len
        cdef u32 segment = size
        cdef us_t arrival_ns = 0
        cdef bint is_media = seat.media and size >= RTP_FIXED_SIZE and demux(data, size) == KIND_RTP
        _read_control(&tray.headers[i].msg_hdr, &arrival_ns, &segment)
        if is_media and seat.ssrc and get32(data + 8) != seat.ssrc:
            seat.strange += (size + segment - 1) // segment
            return
        if is_media:
            self._count(seat, get16(data + 2), <int>((size + segment - 1) // segment), arrival_ns)
            if not seat.checked:
                return
        if size > <u32>tray.size:
            seat.cut += 1
            return
        self._hand_over(seat.path, data, size, segment, arrival_ns)

    cdef void _count(self, Seat* seat, u16 sequence, int count, us_t arrival_ns) noexcept nogil:
        cdef us_t left_ns
        cdef int k
        seat.breaks += sequence != <u16>(seat.last + 1)
        seat.last = <u16>(sequence + count - 1)
        if self._is_late(arrival_ns):
            seat.late += count
        else:
            seat.packets += count
        if self.publisher is not None:
            for k in range(count):
                left_ns = self.publisher.sent_ns[(sequence + k - seat.offset) & (PUBLISHER_RING - 1)]
                histogram_add(&self.latency, (arrival_ns - left_ns) // NS_PER_US)

    cdef bint _is_late(self, us_t arrival_ns) noexcept nogil:
        """What is read while the publisher still runs came in time."""
        cdef us_t ended_ns = 0 if self.publisher is None else self.publisher.ended_ns
        return ended_ns != 0 and arrival_ns > ended_ns + self.patience_ns

    cdef void _hand_over(self, Path* p, const u8* data, u32 size, u32 segment, us_t arrival_ns) noexcept nogil:
        cdef us_t now = monotonic_us()
        cdef us_t arrival = min((arrival_ns - self.behind_ns) // NS_PER_US, now) if arrival_ns else now
        cdef u32 off = 0
        while off < size:
            if not self.swarm.has_room():
                self._send()
            self.swarm.receive(p, data + off, min(segment, size - off), arrival, now)
            off += segment


cdef u32 _drops(int fd) noexcept nogil:
    cdef u32 numbers[MEMINFO_COUNT]
    cdef socklen_t size = sizeof(numbers)
    return numbers[MEMINFO_DROPS] if getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers, &size) == 0 else 0
