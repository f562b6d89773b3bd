"""A turn's outgoing datagrams; see output.pxd."""

from libc.stdlib cimport free, malloc

from simplestchat._native.core.types cimport E_NOMEM, OK, u8
from simplestchat._native.engine.entities cimport OutPacket, OutQueue


cdef int out_init(OutQueue* q) noexcept nogil:
    q.arena = <u8*>malloc(OUT_PACKETS * OUT_SLOT)
    q.packets = <OutPacket*>malloc(OUT_PACKETS * sizeof(OutPacket))
    out_clear(q)
    return OK if q.arena != NULL and q.packets != NULL else E_NOMEM


cdef void out_free(OutQueue* q) noexcept nogil:
    free(q.arena)
    free(q.packets)
    q.arena = NULL
    q.packets = NULL
