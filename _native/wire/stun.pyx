"""STUN messages; the contract is in ``stun.pxd``."""

from libc.string cimport memset, strlen
from simplestchat._native.core.bytes cimport (
    Writer, add8, add16, add32, add64, add_bytes, add_zeros, get16, get32, get64, put16, writer, written,
)
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_SHORT, OK, u8, u16, u32, u64

cdef enum:
    _MAGIC = 0x2112A442
    _MAX_USERNAME = 508          # RFC 8489 section 14.3: fewer than 509 bytes
    _IPV4 = 1
    _IPV6 = 2

cdef enum:
    _MAPPED_ADDRESS = 0x0001
    _USERNAME = 0x0006
    _MESSAGE_INTEGRITY = 0x0008
    _ERROR_CODE = 0x0009
    _UNKNOWN_ATTRIBUTES = 0x000A
    _REALM = 0x0014
    _NONCE = 0x0015
    _MESSAGE_INTEGRITY_SHA256 = 0x001C
    _XOR_MAPPED_ADDRESS = 0x0020
    _PRIORITY = 0x0024
    _USE_CANDIDATE = 0x0025
    _FIRST_OPTIONAL = 0x8000     # attributes from here on may be skipped by who does not know them
    _FINGERPRINT = 0x8028
    _ICE_CONTROLLED = 0x8029
    _ICE_CONTROLLING = 0x802A

# CRC-32 (ITU-T V.42), eight bytes a step: _CRC[k][b] is byte b followed by k zero bytes. Filled at import, then constant.
cdef u32 _CRC[8][256]


cdef void _fill_crc() noexcept nogil:
    cdef u32 value
    cdef int byte, bit, k
    for byte in range(256):
        value = <u32> byte
        for bit in range(8):
            value = (value >> 1) ^ (0xEDB88320U if value & 1 else 0)
        _CRC[0][byte] = value
    for k in range(1, 8):
        for byte in range(256):
            value = _CRC[k - 1][byte]
            _CRC[k][byte] = (value >> 8) ^ _CRC[0][value & 0xFF]


_fill_crc()


cdef u32 stun_fingerprint(const u8* data, size_t size) noexcept nogil:
    cdef u32 crc = 0xFFFFFFFFU
    while size >= 8:
        crc ^= data[0] | (<u32> data[1] << 8) | (<u32> data[2] << 16) | (<u32> data[3] << 24)
        crc = (
            _CRC[7][crc & 0xFF] ^ _CRC[6][(crc >> 8) & 0xFF] ^ _CRC[5][(crc >> 16) & 0xFF] ^ _CRC[4][crc >> 24]
            ^ _CRC[3][data[4]] ^ _CRC[2][data[5]] ^ _CRC[1][data[6]] ^ _CRC[0][data[7]]
        )
        data += 8
        size -= 8
    while size:
        crc = (crc >> 8) ^ _CRC[0][(crc ^ data[0]) & 0xFF]
        data += 1
        size -= 1
    return crc ^ 0xFFFFFFFFU ^ 0x5354554EU


cdef int _read_mapped(const u8* data, const u8* value, size_t size, StunView* out) noexcept nogil:
    # XOR-MAPPED-ADDRESS, section 14.2: the address is XORed with the magic cookie and the transaction id.
    cdef size_t i, start, count
    if out.has_mapped:
        return OK
    if size == 8 and value[1] == _IPV4:
        out.mapped_ip[10] = out.mapped_ip[11] = 0xFF
        start, count = 12, 4
    elif size == 20 and value[1] == _IPV6:
        start, count = 0, 16
    else:
        return E_MALFORMED
    for i in range(count):
        out.mapped_ip[start + i] = value[4 + i] ^ data[4 + i]
    out.mapped_port = get16(value + 2) ^ (_MAGIC >> 16)
    out.has_mapped = 1
    return OK


cdef int _read_error(const u8* value, size_t size, StunView* out) noexcept nogil:
    # Section 14.8: class 3..6 and number 0..99.
    if size < 4 or not 3 <= (value[2] & 7) <= 6 or value[3] > 99:
        return E_MALFORMED
    if not out.error_code:
        out.error_code = 100 * (value[2] & 7) + value[3]
    return OK


cdef int _read_role(const u8* value, size_t size, u8* flag, u8 other, StunView* out) noexcept nogil:
    if size != 8 or other:       # both roles at once have no meaning
        return E_MALFORMED
    if not flag[0]:
        flag[0] = 1
        out.tie_breaker = get64(value)
    return OK


cdef void _note_unknown(u16 kind, StunView* out) noexcept nogil:
    cdef u8 i
    for i in range(out.unknown_count):
        if out.unknown[i] == kind:
            return
    if out.unknown_count < STUN_MAX_UNKNOWN:
        out.unknown[out.unknown_count] = kind
        out.unknown_count += 1


cdef int _read_attribute(const u8* data, size_t off, u16 kind, u16 size, StunView* out) noexcept nogil:
    # One attribute before the integrity; `off` is of its value. Of repeated ones the first counts (section 14).
    cdef const u8* value = data + off
    if kind == _USERNAME:
        if size > _MAX_USERNAME:
            return E_MALFORMED
        if not out.username_off:
            out.username_off = <u16> off
            out.username_len = size
    elif kind == _PRIORITY:
        if size != 4:
            return E_MALFORMED
        if not out.has_priority:
            out.has_priority = 1
            out.priority = get32(value)
    elif kind == _USE_CANDIDATE:
        if size != 0:
            return E_MALFORMED
        out.use_candidate = 1
    elif kind == _ICE_CONTROLLING:
        return _read_role(value, size, &out.controlling, out.controlled, out)
    elif kind == _ICE_CONTROLLED:
        return _read_role(value, size, &out.controlled, out.controlling, out)
    elif kind == _XOR_MAPPED_ADDRESS:
        return _read_mapped(data, value, size, out)
    elif kind == _ERROR_CODE:
        return _read_error(value, size, out)
    elif (
        kind < _FIRST_OPTIONAL and kind != _MAPPED_ADDRESS and kind != _UNKNOWN_ATTRIBUTES
        and kind != _REALM and kind != _NONCE
    ):
        _note_unknown(kind, out)
    return OK


cdef int _read_attributes(const u8* data, size_t size, StunView* out) noexcept nogil:
    cdef size_t pos = STUN_HEADER_SIZE
    cdef u16 kind, length
    cdef bint sealed = False     # behind an integrity attribute
    cdef int status
    while pos < size:            # pos and size are multiples of four, so an attribute header is there
        kind = get16(data + pos)
        length = get16(data + pos + 2)
        if (<size_t> length + 3) // 4 * 4 > size - pos - 4:
            return E_SHORT
        if kind == _FINGERPRINT:
            if length != 4 or pos + 8 != size or get32(data + pos + 4) != stun_fingerprint(data, pos):
                return E_MALFORMED
            out.fingerprint_off = <u16> pos
        elif sealed:
            pass
        elif kind == _MESSAGE_INTEGRITY:
            if length != 20:
                return E_MALFORMED
            out.integrity_off = <u16> pos
            sealed = True
        elif kind == _MESSAGE_INTEGRITY_SHA256:
            if length % 4 or not 16 <= length <= 32:
                return E_MALFORMED
            sealed = True
        else:
            status = _read_attribute(data, pos + 4, kind, length, out)
            if status < 0:
                return status
        pos += 4 + (<size_t> length + 3) // 4 * 4
    return OK


cdef int stun_parse(const u8* data, size_t size, StunView* out) noexcept nogil:
    if size < STUN_HEADER_SIZE:
        return E_SHORT
    if data[0] & 0xC0 or get32(data + 4) != _MAGIC:
        return E_MALFORMED
    memset(out, 0, sizeof(StunView))
    out.type = get16(data)
    out.length = get16(data + 2)
    out.txid_off = 8
    if out.length % 4:
        return E_MALFORMED
    if <size_t> out.length != size - STUN_HEADER_SIZE:
        return E_SHORT if <size_t> out.length > size - STUN_HEADER_SIZE else E_MALFORMED
    return _read_attributes(data, size, out)


cdef void _begin(Writer* w, u16 kind, const u8* txid) noexcept nogil:
    add16(w, kind)
    add16(w, 0)                  # the length, corrected by _end
    add32(w, _MAGIC)
    add_bytes(w, txid, 12)


cdef int _end(Writer* w) noexcept nogil:
    if not w.failed:
        put16(w.data + 2, <u16> (w.pos - STUN_HEADER_SIZE))
    return written(w)


cdef void _add_attribute(Writer* w, u16 kind, const void* value, u16 size) noexcept nogil:
    add16(w, kind)
    add16(w, size)
    add_bytes(w, value, size)
    add_zeros(w, <size_t> (-<int> size & 3))


cdef int stun_write_request(u8* out, size_t cap, const u8* txid, const u8* username, u16 username_len,
                            u32 priority, bint controlling, u64 tie_breaker, bint use_candidate) noexcept nogil:
    cdef Writer w = writer(out, cap)
    if username_len > _MAX_USERNAME:
        return E_LIMIT
    _begin(&w, STUN_BINDING_REQUEST, txid)
    _add_attribute(&w, _USERNAME, username, username_len)
    add16(&w, _PRIORITY)
    add16(&w, 4)
    add32(&w, priority)
    add16(&w, _ICE_CONTROLLING if controlling else _ICE_CONTROLLED)
    add16(&w, 8)
    add64(&w, tie_breaker)
    if use_candidate:
        _add_attribute(&w, _USE_CANDIDATE, NULL, 0)
    return _end(&w)


cdef int stun_write_success(u8* out, size_t cap, const u8* txid, const u8* ip16, u16 port) noexcept nogil:
    cdef Writer w = writer(out, cap)
    cdef size_t i, first = 0
    cdef bint mapped = ip16[10] == 0xFF and ip16[11] == 0xFF
    for i in range(10):
        if ip16[i]:
            mapped = False
    if mapped:
        first = 12
    _begin(&w, STUN_BINDING_SUCCESS, txid)
    add16(&w, _XOR_MAPPED_ADDRESS)
    add16(&w, 8 if mapped else 20)
    add8(&w, 0)
    add8(&w, _IPV4 if mapped else _IPV6)
    add16(&w, port ^ (_MAGIC >> 16))
    for i in range(16 - first):
        if w.failed:
            break
        add8(&w, ip16[first + i] ^ out[4 + i])
    return _end(&w)


cdef const char* _reason(u16 code) noexcept nogil:
    if code == 400:
        return b"Bad Request"
    if code == 401:
        return b"Unauthenticated"
    if code == 420:
        return b"Unknown Attribute"
    if code == 487:
        return b"Role Conflict"
    if code == 500:
        return b"Server Error"
    return b""


cdef int stun_write_error(u8* out, size_t cap, const u8* txid, u16 code, const u16* unknown, u8 unknown_count) noexcept nogil:
    cdef Writer w = writer(out, cap)
    cdef const char* reason = _reason(code)
    cdef size_t reason_size = strlen(reason), i
    if not 300 <= code <= 699:
        return E_LIMIT
    _begin(&w, STUN_BINDING_ERROR, txid)
    add16(&w, _ERROR_CODE)
    add16(&w, <u16> (4 + reason_size))
    add16(&w, 0)
    add8(&w, <u8> (code // 100))
    add8(&w, <u8> (code % 100))
    add_bytes(&w, reason, reason_size)
    add_zeros(&w, <size_t> (-<int> reason_size & 3))
    if unknown_count:
        add16(&w, _UNKNOWN_ATTRIBUTES)
        add16(&w, 2 * <u16> unknown_count)
        for i in range(unknown_count):
            add16(&w, unknown[i])
        add_zeros(&w, 2 * <size_t> (unknown_count & 1))
    return _end(&w)
