"""Network tuples from and to Python, for tests and probes; the packet path never comes here."""

from ipaddress import IPv6Address, ip_address

from libc.string cimport memcpy, memset

from simplestchat._native.core.types cimport Tuple, u8

cdef int _pack(u8* out, str text) except -1:
    """16 bytes, v4-mapped for IPv4."""
    cdef bytes packed = ip_address(text).packed
    if len(packed) == 4:
        packed = b"\0" * 10 + b"\xff\xff" + packed
    memcpy(out, <const char*>packed, 16)
    return 0


cdef str _unpack(const u8* ip):
    address = IPv6Address(bytes(ip[:16]))
    return str(address.ipv4_mapped or address)


cdef int tuple_from_address(Tuple* out, tuple address) except -1:
    """Raises ValueError for what is no address."""
    memset(out, 0, sizeof(Tuple))
    _pack(out.remote_ip, address[0])
    out.remote_port = address[1]
    _pack(out.local_ip, address[2])
    out.local_port = address[3]
    return 0


cdef tuple tuple_to_address(const Tuple* tuple):
    return (_unpack(tuple.remote_ip), tuple.remote_port, _unpack(tuple.local_ip), tuple.local_port)
