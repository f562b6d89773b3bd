# What libssl wrote and nobody took yet: whole records, handed out as datagrams that hold as many records as fit.
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy
from simplestchat._native.core.bytes cimport get16
from simplestchat._native.core.types cimport E_LIMIT, E_NOMEM, E_SPACE, OK, u8, u32
from simplestchat._native.crypto.dtls_inbound cimport DTLS_RECORD_HEADER

cdef enum:
    OUTBOUND_MAX = 65536     # more than a handshake ever says; past it records are lost, as they may be on the way

cdef struct Outbound:
    u8* bytes
    u32 size
    u32 pos                  # first byte not handed out
    u32 cap

cdef inline void outbound_free(Outbound* out) noexcept nogil:
    free(out.bytes)
    out.bytes = NULL
    out.size = out.pos = out.cap = 0

cdef inline int outbound_put(Outbound* out, const u8* data, u32 size) noexcept nogil:
    cdef u32 cap
    cdef u8* bytes
    if size > OUTBOUND_MAX or out.size + size > OUTBOUND_MAX:
        return E_LIMIT
    if out.size + size > out.cap:
        cap = (out.size + size + 2047) & ~<u32>2047
        bytes = <u8*>realloc(out.bytes, cap)
        if bytes == NULL:
            return E_NOMEM
        out.bytes = bytes
        out.cap = cap
    memcpy(out.bytes + out.size, data, size)
    out.size += size
    return OK

# One datagram of at most `limit` bytes; a single longer record is E_SPACE and is dropped. 0 when there is none.
cdef inline int outbound_take(Outbound* out, u8* datagram, u32 limit) noexcept nogil:
    cdef u32 size = 0
    cdef u32 record
    cdef int result
    while out.size - out.pos - size >= DTLS_RECORD_HEADER:
        record = DTLS_RECORD_HEADER + get16(out.bytes + out.pos + size + 11)
        if record > out.size - out.pos - size:
            break
        if size + record > limit:
            if size == 0:
                out.pos += record
                return E_SPACE
            break
        size += record
    if size:
        memcpy(datagram, out.bytes + out.pos, size)
    out.pos += size
    result = <int>size
    if size == 0 or out.pos == out.size:
        outbound_free(out)
    return result
