# Redundant audio (RFC 2198): what earlier payloads a packet repeats, and where its own is.
from simplestchat._native.core.types cimport u8, u16

cdef enum:
    RED_MAX_BLOCKS = 16          # with the primary one; browsers send two or three

cdef struct RedBlock:
    u8 payload_type
    u16 timestamp_offset         # so much earlier than the packet's; 0 for the primary one
    u16 off                      # from the start of the payload
    u16 size

cdef struct RedView:
    u8 count                     # the primary one is the last
    RedBlock blocks[RED_MAX_BLOCKS]

# OK, E_SHORT, or E_UNSUPPORTED when there are more blocks than RED_MAX_BLOCKS.
cdef int red_parse(const u8* payload, size_t size, RedView* out) noexcept nogil
