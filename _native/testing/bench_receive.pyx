"""What reading datagrams costs, with and without the kernel's time of arrival: a worker's own socket, fed over loopback."""

cimport cython
from libc.string cimport memset

import os
import socket as python_socket

from simplestchat._native.core.types cimport us_t
from simplestchat._native.engine.entities cimport BATCH, Counters, Datagram
from simplestchat._native.io.clock cimport cpu_ns
from simplestchat._native.io.inbound cimport Inbound, inbound_free, inbound_init, inbound_receive
from simplestchat._native.io.port cimport PORT_WILDCARD, Port, port_close, port_open
from simplestchat._native.io.system cimport SO_TIMESTAMPNS, SOL_SOCKET, setsockopt

cdef enum:
    LOOKS = 10000                  # for a batch: a busy kernel delivers what was sent a moment later


@cython.final
cdef class Receive:
    """One socket that reads, one that sends to it."""

    cdef Port port
    cdef Inbound inbound
    cdef object sender
    cdef Datagram batch[BATCH]

    def __cinit__(self):
        if port_open(&self.port, 0, -1, True) != 0 or inbound_init(&self.inbound) != 0:
            raise OSError("no UDP socket")
        self.sender = python_socket.socket(python_socket.AF_INET, python_socket.SOCK_DGRAM)
        self.sender.connect(("127.0.0.1", self.port.number))

    def __dealloc__(self):
        port_close(&self.port)
        inbound_free(&self.inbound)

    def close(self):
        """Closes the sender."""
        self.sender.close()

    def ns_per_datagram(self, bint timed, int batches, bytes payload):
        """CPU ns of this thread for each datagram read, in whole batches; `timed` asks the kernel for times of arrival."""
        cdef int on = timed
        cdef Counters counters
        cdef bint drained = False
        memset(&counters, 0, sizeof(counters))
        cdef us_t spent = 0
        cdef us_t began
        cdef long read = 0
        cdef long whole
        if setsockopt(self.port.sockets[PORT_WILDCARD].fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0:
            raise OSError("times of arrival cannot be switched")
        for _ in range(batches):
            for _ in range(BATCH):
                self.sender.send(payload)
            whole = read + BATCH
            for _ in range(LOOKS):
                began = cpu_ns()
                read += inbound_receive(&self.inbound, &self.port, PORT_WILDCARD, self.batch, &drained, &counters)
                spent += cpu_ns() - began
                if read == whole:
                    break
                os.sched_yield()
        if read != batches * BATCH or (self.batch[0].arrived_us != 0) != timed:
            raise RuntimeError("not what was sent has been read")
        return spent / <double>read
