"""Door to the engine's output queue: packets committed and noted, and what a reader of the queue would send."""

from cython cimport final
from libc.string cimport memcpy, memset

from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport E_NOMEM, OK, Tuple, u16, u32, u64, u8
from simplestchat._native.crypto.openssl cimport OSSL_PARAM
from simplestchat._native.crypto.provided cimport ProvidedCipher
from simplestchat._native.crypto.srtp cimport SealJob, SrtpContext, srtp_free, srtp_new, srtp_note
from simplestchat._native.engine.entities cimport OutQueue
from simplestchat._native.engine.output cimport (
    OUT_PACKETS as _OUT_PACKETS, OUT_SLOT, out_clear, out_commit, out_free, out_init, out_note, out_reserve, out_reserve_noted,
    out_room, out_seal,
)
from simplestchat._native.wire.rtp cimport RTP_FIXED_SIZE, rtp_write_fixed

OUT_PACKETS = _OUT_PACKETS


cdef int _refuse(void* ctx, const u8* key, size_t key_size, const u8* iv, size_t iv_size, const OSSL_PARAM* parameters) noexcept nogil:
    return 0


@final
cdef class Output:
    """A queue, and two senders with the same keys: one of them can be broken, and then seals nothing."""

    cdef OutQueue queue
    cdef SrtpContext* sender
    cdef SrtpContext* fragile
    cdef ProvidedCipher broken
    cdef list plain                # what noted packets point at

    def __cinit__(self, int suite, bytes key, bytes salt):
        memset(&self.queue, 0, sizeof(OutQueue))
        self.plain = []
        self.sender = srtp_new(suite, key, salt)
        self.fragile = srtp_new(suite, key, salt)
        if out_init(&self.queue) != OK or self.sender == NULL or self.fragile == NULL:
            raise_status(E_NOMEM, "output queue")

    def __dealloc__(self):
        out_free(&self.queue)
        srtp_free(self.sender)
        srtp_free(self.fragile)

    def break_fragile(self):
        """From now on, libcrypto refuses what the second sender asks for."""
        self.broken = self.fragile.rtp.by[0]
        self.broken.encrypt_init = _refuse
        self.fragile.rtp.by = &self.broken

    def note(self, u32 ssrc, u64 index, bytes payload, bint fragile=False):
        """Queue a packet that is sealed later; the size it will have."""
        cdef SealJob* job
        cdef Tuple to
        cdef u8* out
        cdef int size
        if out_room(&self.queue) == 0:
            raise ValueError("the queue is full")
        memset(&to, 0, sizeof(to))
        self.plain.append(payload)
        out = out_reserve_noted(&self.queue, &job)
        rtp_write_fixed(out, OUT_SLOT, 96, False, <u16>index, 0, ssrc, False, False)
        size = srtp_note(job, self.fragile if fragile else self.sender, index, out, RTP_FIXED_SIZE, NULL, 0, payload,
                         len(payload), out, OUT_SLOT)
        if size < 0:
            raise_status(size, "RTP packet")
        out_note(&self.queue, &to, size, False)
        return size

    def commit(self, bytes data):
        """Queue a datagram that is ready."""
        cdef Tuple to
        cdef u8* out = out_reserve(&self.queue)
        if out == NULL or len(data) > OUT_SLOT:
            raise ValueError("the queue is full")
        memset(&to, 0, sizeof(to))
        memcpy(out, <const u8*>data, len(data))
        out_commit(&self.queue, &to, len(data))

    def seal(self):
        """Seal what is noted."""
        out_seal(&self.queue)

    def clear(self):
        """As after sending."""
        out_clear(&self.queue)

    def ready(self):
        """(place in the arena, bytes) of every packet that would be sent."""
        cdef u32 i
        packets = []
        for i in range(self.queue.count):
            packets.append((self.queue.packets[i].off, bytes((self.queue.arena + self.queue.packets[i].off)[:self.queue.packets[i].size])))
        return packets

    @property
    def room(self):
        """How many more packets there is room for."""
        return out_room(&self.queue)

    @property
    def unsealed(self):
        """Packets that could not be sealed."""
        return self.queue.unsealed
