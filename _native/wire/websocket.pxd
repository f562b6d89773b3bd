# Frames of WebSocket (RFC 6455 section 5.2): a client's are masked, a server's are not.
from simplestchat._native.core.types cimport u8, u64

cdef enum:
    WS_TEXT_WHOLE = 0x81           # the first byte of an unfragmented text frame with nothing reserved
    WS_MASK_SIZE = 4
    WS_HEAD_MAX = 14               # the longest header: 64 bits of length and a mask

cdef struct WsHead:
    u8 first                       # FIN, the reserved bits and the opcode
    u8 masked
    u8 size                        # of the header, its mask included
    u64 payload                    # bytes that the frame announces after it, which nobody has checked

# E_SHORT while the header is not whole. Whether the frame is one that its sender may send is the caller's to judge.
cdef int ws_head(const u8* data, size_t size, WsHead* out) noexcept nogil

# Takes the mask off, or puts it on. `out` may be `data`.
cdef void ws_mask(u8* out, const u8* data, size_t size, const u8* mask) noexcept nogil

# The header of a server's whole text frame; `out` has room for WS_HEAD_MAX. Returns its size.
cdef size_t ws_write_text_head(u8* out, u64 payload) noexcept nogil
