"""A turn's outgoing datagrams; see output.pxd."""

from libc.stdlib cimport calloc, free, malloc

from simplestchat._native.core.types cimport E_NOMEM, OK, u32, u64, u8
from simplestchat._native.crypto.srtp cimport SealJob, srtp_seal_many
from simplestchat._native.engine.entities cimport OutPacket, OutQueue


cdef int out_init(OutQueue* q) noexcept nogil:
    q.arena = <u8*>malloc(OUT_PACKETS * OUT_SLOT)
    q.packets = <OutPacket*>malloc(OUT_PACKETS * sizeof(OutPacket))
    q.jobs = <SealJob*>calloc(OUT_PACKETS, sizeof(SealJob))
    q.prefixes = <u64*>calloc(OUT_PACKETS, sizeof(u64))
    q.noted = 0
    q.unsealed = 0
    out_clear(q)
    return OK if q.arena != NULL and q.packets != NULL and q.jobs != NULL and q.prefixes != NULL else E_NOMEM


cdef void out_free(OutQueue* q) noexcept nogil:
    free(q.arena)
    free(q.packets)
    free(q.jobs)
    free(q.prefixes)
    q.arena = NULL
    q.packets = NULL
    q.jobs = NULL
    q.prefixes = NULL


cdef void _drop_failed(OutQueue* q, u32 first) noexcept nogil:
    """Closes the ranks where a job failed. The hole in the arena ends a train, as the io layer builds them."""
    cdef u32 kept = first
    cdef u32 i
    for i in range(q.noted):
        if q.jobs[i].size > 0:
            q.packets[kept] = q.packets[first + i]
            kept += 1
    q.unsealed += first + q.noted - kept
    q.count = kept


cdef void out_seal(OutQueue* q) noexcept nogil:
    cdef u32 first = q.count
    if q.noted == 0:
        return
    if srtp_seal_many(q.jobs, q.noted) == 0:
        q.count += q.noted
    else:
        _drop_failed(q, first)
    q.noted = 0
