# STUN messages (RFC 8489) with the ICE attributes (RFC 8445 section 7.1): parse into a view, write from arguments.
# MESSAGE-INTEGRITY is located here and checked in crypto/stunauth, because it needs an HMAC.
from simplestchat._native.core.types cimport u8, u16, u32, u64

cdef enum:
    STUN_BINDING_REQUEST = 0x0001
    STUN_BINDING_INDICATION = 0x0011
    STUN_BINDING_SUCCESS = 0x0101
    STUN_BINDING_ERROR = 0x0111
    STUN_HEADER_SIZE = 20
    STUN_MAX_UNKNOWN = 8

# Offsets count from the start of the message; 0 means the attribute is absent.
# Nothing after MESSAGE-INTEGRITY is recorded except FINGERPRINT (RFC 8489 section 14.5).
cdef struct StunView:
    u16 type
    u16 length                 # of the attributes, as the header says; always size - 20
    u16 txid_off               # 8
    u16 username_off
    u16 username_len
    u16 integrity_off          # where the MESSAGE-INTEGRITY attribute's own header starts
    u16 fingerprint_off        # present and right (a wrong one makes the parse fail)
    u8 use_candidate
    u8 controlling             # ICE-CONTROLLING present
    u8 controlled              # ICE-CONTROLLED present
    u8 has_priority
    u32 priority
    u64 tie_breaker
    u16 error_code             # of an error response, else 0
    u8 has_mapped
    u8 mapped_ip[16]           # XOR-MAPPED-ADDRESS, v4-mapped when IPv4
    u16 mapped_port
    u16 unknown[STUN_MAX_UNKNOWN]   # comprehension-required attributes that we do not know
    u8 unknown_count

# OK, or E_SHORT / E_MALFORMED.
cdef int stun_parse(const u8* data, size_t size, StunView* out) noexcept nogil

# Writers return the message's length so far, or E_SPACE. `crypto/stunauth.stun_seal` then appends
# MESSAGE-INTEGRITY and FINGERPRINT and corrects the header's length.
cdef int stun_write_request(u8* out, size_t cap, const u8* txid, const u8* username, u16 username_len,
                            u32 priority, bint controlling, u64 tie_breaker, bint use_candidate) noexcept nogil
cdef int stun_write_success(u8* out, size_t cap, const u8* txid, const u8* ip16, u16 port) noexcept nogil
# `unknown` lists attribute types for a 420 answer, else unknown_count is 0.
cdef int stun_write_error(u8* out, size_t cap, const u8* txid, u16 code, const u16* unknown, u8 unknown_count) noexcept nogil
# CRC-32 of RFC 8489 section 14.7 XOR 0x5354554e
cdef u32 stun_fingerprint(const u8* data, size_t size) noexcept nogil
