# A turn's outgoing datagrams: written into one arena, sent by the io layer in order.
from simplestchat._native.core.types cimport Tuple, u32, u8
from simplestchat._native.engine.entities cimport OutQueue

cdef enum:
    OUT_PACKETS = 256
    OUT_SLOT = 1600                 # room that out_reserve promises: a datagram of ours is never larger
    OUT_HEADROOM = 96               # packets that one received datagram can cause at most (answers, resends, reports)

cdef int out_init(OutQueue* q) noexcept nogil               # OK or E_NOMEM
cdef void out_free(OutQueue* q) noexcept nogil
# Room for OUT_SLOT bytes, NULL when the queue is full.
cdef inline u8* out_reserve(OutQueue* q) noexcept nogil:
    return q.arena + q.used if q.count < OUT_PACKETS else NULL
cdef inline bint out_has_headroom(const OutQueue* q) noexcept nogil:
    return q.count + OUT_HEADROOM <= OUT_PACKETS
# Queues the first `size` bytes of the reservation.
cdef inline void out_commit(OutQueue* q, const Tuple* to, u32 size) noexcept nogil:
    q.packets[q.count].to = to[0]
    q.packets[q.count].off = q.used
    q.packets[q.count].size = size
    q.packets[q.count].video = 0
    q.used += size
    q.count += 1
# Says of the packet just queued that it is video.
cdef inline void out_mark_video(OutQueue* q) noexcept nogil:
    q.packets[q.count - 1].video = 1
cdef inline void out_clear(OutQueue* q) noexcept nogil:
    q.used = 0
    q.count = 0
