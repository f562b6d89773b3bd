# A turn's outgoing datagrams: written into one arena, sealed together, sent by the io layer in order.
#
# A packet is ready when it is committed, or noted: then its header is in the arena and its size is known, and out_seal makes the
# rest, for all noted ones at once. Until then it lies behind `count`, where nobody who reads the queue sees it.
#
# Rule: what a noted packet points at (the plaintext in a stream's cache, the keys of its transport) does not change until it is
# sealed. Only fanout_flush notes packets, it receives, makes and closes nothing, and it ends with out_seal: so between its calls
# nothing is noted. Whoever commits seals first, so that the order stays.
from simplestchat._native.core.types cimport Tuple, u32, u8
from simplestchat._native.crypto.srtp cimport SealJob
from simplestchat._native.engine.entities cimport OutQueue

cdef enum:
    OUT_PACKETS = 256
    OUT_SLOT = 1600                 # room that out_reserve promises: a datagram of ours is never larger
    OUT_HEADROOM = 96               # packets that one received datagram can cause at most (answers, resends, reports)

cdef int out_init(OutQueue* q) noexcept nogil               # OK or E_NOMEM
cdef void out_free(OutQueue* q) noexcept nogil
# Seals what is noted; it is ready then. Packets that could not be sealed vanish, and are counted.
cdef void out_seal(OutQueue* q) noexcept nogil
# How many more packets there is room for.
cdef inline u32 out_room(const OutQueue* q) noexcept nogil:
    return OUT_PACKETS - q.count - q.noted
cdef inline bint out_has_headroom(const OutQueue* q) noexcept nogil:
    return out_room(q) >= OUT_HEADROOM
# Room for OUT_SLOT bytes, NULL when the queue is full.
cdef inline u8* out_reserve(OutQueue* q) noexcept nogil:
    if q.noted:
        out_seal(q)
    return q.arena + q.used if q.count < OUT_PACKETS else NULL
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
# The same for a packet that is sealed later; *job is where it is to be noted. There must be room.
cdef inline u8* out_reserve_noted(OutQueue* q, SealJob** job) noexcept nogil:
    job[0] = &q.jobs[q.noted]
    return q.arena + q.used
# Eight bytes for the job being noted.
cdef inline u8* out_prefix(OutQueue* q) noexcept nogil:
    return <u8*>&q.prefixes[q.noted]
cdef inline void out_note(OutQueue* q, const Tuple* to, u32 size, u8 video) noexcept nogil:
    q.packets[q.count + q.noted].to = to[0]
    q.packets[q.count + q.noted].off = q.used
    q.packets[q.count + q.noted].size = size
    q.packets[q.count + q.noted].video = video
    q.used += size
    q.noted += 1
cdef inline void out_clear(OutQueue* q) noexcept nogil:
    q.used = 0
    q.count = 0
