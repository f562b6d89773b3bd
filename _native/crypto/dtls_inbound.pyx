"""Reassembly of a DTLS peer's handshake messages; the contract is in dtls_inbound.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport get16, get24, put16, put24, put32
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_NOMEM, E_REPLAY, OK, u8, u16, u32, u64

cdef enum:
    BODY_AT = DTLS_RECORD_HEADER + DTLS_HANDSHAKE_HEADER
    # What a client sends before its Finished: ClientHello, Certificate, CertificateVerify, ClientKeyExchange.
    FROM_CLIENT = 1 << 1 | 1 << 11 | 1 << 15 | 1 << 16
    # What a server sends: ServerHello, HelloVerifyRequest, Certificate, ServerKeyExchange, CertificateRequest,
    # ServerHelloDone, CertificateStatus. (HelloRequest has no place in a first handshake.)
    FROM_SERVER = 1 << 2 | 1 << 3 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 22
    CLIENT_HELLO = 1
    TYPE_MAX = 22


cdef void inbound_init(Inbound* inbound, bint from_client) noexcept nogil:
    memset(inbound, 0, sizeof(Inbound))
    inbound.from_client = from_client


cdef void _release(Inbound* inbound, InboundMessage* message) noexcept nogil:
    if message.record != NULL:
        inbound.held -= message.length
        free(message.record)
        message.record = NULL


cdef void inbound_free(Inbound* inbound) noexcept nogil:
    cdef int i
    for i in range(INBOUND_SLOTS):
        _release(inbound, &inbound.slots[i])


cdef bint _expected(const Inbound* inbound, u8 type, u16 seq) noexcept nogil:
    cdef u32 types = FROM_CLIENT if inbound.from_client else FROM_SERVER
    if type > TYPE_MAX or not types >> type & 1:
        return False
    # We never ask for a second ClientHello, so it is the first message or none.
    return (type == CLIENT_HELLO) == (seq == 0) if inbound.from_client else True


cdef int _open(Inbound* inbound, InboundMessage* message, u8 type, u32 length) noexcept nogil:
    if inbound.held + length > INBOUND_MAX_HELD:
        return E_LIMIT
    message.record = <u8*>calloc(1, BODY_AT + length + (length + 7) // 8)
    if message.record == NULL:
        return E_NOMEM
    message.type = type
    message.length = length
    message.missing = length
    inbound.held += length
    return OK


cdef void _fill(InboundMessage* message, u32 offset, const u8* data, u32 size) noexcept nogil:
    cdef u8* body = message.record + BODY_AT
    cdef u8* came = body + message.length
    cdef u32 i
    for i in range(offset, offset + size):
        if not came[i >> 3] >> (i & 7) & 1:
            came[i >> 3] |= <u8>(1 << (i & 7))
            message.missing -= 1
    memcpy(body + offset, data, size)


# One fragment whose header is complete; its bytes are within the record.
cdef int _fragment(Inbound* inbound, const u8* header) noexcept nogil:
    cdef u8 type = header[0]
    cdef u32 length = get24(header + 1)
    cdef u16 seq = get16(header + 4)
    cdef u32 offset = get24(header + 6)
    cdef u32 size = get24(header + 9)
    cdef InboundMessage* message
    cdef int result
    if length > INBOUND_MAX_MESSAGE or offset > length or size > length - offset or (size == 0 and length != 0):
        return E_MALFORMED
    if not _expected(inbound, type, seq):
        return E_MALFORMED
    if seq < inbound.next_seq:
        return E_REPLAY
    if seq >= inbound.next_seq + INBOUND_SLOTS:
        return E_LIMIT
    message = &inbound.slots[seq % INBOUND_SLOTS]
    if message.record != NULL and (message.type != type or message.length != length):
        # One of the two is not the peer's. The newer one wins, so that a forged fragment cannot block the place.
        _release(inbound, message)
    if message.record == NULL:
        result = _open(inbound, message, type, length)
        if result != OK:
            return result
    _fill(message, offset, header + DTLS_HANDSHAKE_HEADER, size)
    return OK


cdef int inbound_record(Inbound* inbound, const u8* body, size_t size) noexcept nogil:
    cdef size_t pos = 0
    cdef size_t length
    cdef int result = E_MALFORMED
    cdef int one
    while size - pos >= DTLS_HANDSHAKE_HEADER:
        if inbound.fragments >= INBOUND_MAX_FRAGMENTS:
            return OK if result == OK else E_LIMIT
        inbound.fragments += 1
        length = get24(body + pos + 9)
        if length > size - pos - DTLS_HANDSHAKE_HEADER:
            break
        one = _fragment(inbound, body + pos)
        if result != OK:
            result = one
        pos += DTLS_HANDSHAKE_HEADER + length
    return result


cdef void inbound_header(Inbound* inbound, u8* record, u8 type, u16 size) noexcept nogil:
    record[0] = type
    put16(record + 1, 0xFEFD)                # DTLS 1.2
    put16(record + 3, 0)                     # epoch
    put16(record + 5, <u16>(inbound.record_seq >> 32))
    put32(record + 7, <u32>inbound.record_seq)
    put16(record + 11, size)
    inbound.record_seq += 1


cdef const u8* inbound_next(Inbound* inbound, size_t* size) noexcept nogil:
    cdef InboundMessage* message = &inbound.slots[inbound.next_seq % INBOUND_SLOTS]
    cdef u8* header
    if message.record == NULL or message.missing:
        return NULL
    inbound_header(inbound, message.record, RECORD_HANDSHAKE, <u16>(DTLS_HANDSHAKE_HEADER + message.length))
    header = message.record + DTLS_RECORD_HEADER
    header[0] = message.type
    put24(header + 1, message.length)
    put16(header + 4, inbound.next_seq)
    put24(header + 6, 0)
    put24(header + 9, message.length)
    size[0] = BODY_AT + message.length
    return message.record


cdef void inbound_pop(Inbound* inbound) noexcept nogil:
    _release(inbound, &inbound.slots[inbound.next_seq % INBOUND_SLOTS])
    inbound.next_seq += 1
