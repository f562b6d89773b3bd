# RTP packets (RFC 3550) and their header extensions (RFC 8285).
from simplestchat._native.core.bytes cimport put32
from simplestchat._native.core.types cimport u8, u16, u32

cdef enum:
    RTP_FIXED_SIZE = 12
    RTP_EXT_ONE_BYTE = 0xBEDE
    RTP_EXT_TWO_BYTE = 0x1000       # appbits (the low four) are ignored

cdef struct RtpView:
    u8 payload_type
    u8 marker
    u8 csrc_count
    u8 has_padding       # the P bit; under SRTP the padding itself is readable only after decryption
    u16 sequence
    u32 timestamp
    u32 ssrc
    u16 ext_profile      # 0 when there is no extension
    u16 ext_off          # first byte of the extension's body
    u16 ext_len          # of the body, bytes
    u16 header_size      # fixed header, CSRCs and extension: where the payload starts

cdef struct RtpExt:
    u8 id
    u8 size
    u16 off              # of the value, from the start of the packet

# The header alone (works on an encrypted packet). OK, E_SHORT or E_MALFORMED.
cdef int rtp_parse(const u8* data, size_t size, RtpView* out) noexcept nogil
# The payload's size without padding, of a decrypted packet; E_MALFORMED when the padding is 0 or runs past the payload.
cdef int rtp_payload_size(const u8* data, size_t size, const RtpView* view) noexcept nogil
# Walks the extension elements: *pos starts at 0. 1 = one more in out, 0 = end. Malformed tails end the walk (RFC 8285:
# id 15 of the one-byte form stops processing); padding bytes are skipped; nothing is read past ext_len.
cdef int rtp_ext_next(const u8* data, const RtpView* view, u16* pos, RtpExt* out) noexcept nogil
# The element with this id: 1 found, 0 not.
cdef int rtp_ext_find(const u8* data, const RtpView* view, u8 id, RtpExt* out) noexcept nogil

# Writes the 12 fixed bytes (version 2, no CSRC). `extension` sets the X bit. RTP_FIXED_SIZE or E_SPACE.
cdef int rtp_write_fixed(u8* out, size_t cap, u8 payload_type, bint marker, u16 sequence, u32 timestamp, u32 ssrc,
                         bint padding, bint extension) noexcept nogil

# The same where there is room for certain: three stores.
cdef inline void rtp_put_fixed(u8* out, u8 payload_type, u8 marker, u16 sequence, u32 timestamp, u32 ssrc, bint padding,
                               bint extension) noexcept nogil:
    put32(out, 0x80000000U | <u32>padding << 29 | <u32>extension << 28 | <u32>(marker != 0) << 23
          | <u32>(payload_type & 0x7F) << 16 | sequence)
    put32(out + 4, timestamp)
    put32(out + 8, ssrc)

# Builds an extension block behind the fixed header: begin, put*, end. The one-byte form is used when every id is 1..14
# and every size 1..16; the caller says which form with `two_byte`.
cdef struct RtpExtWriter:
    u8* out
    size_t cap
    size_t start         # where the 4-byte extension header is
    size_t pos
    u8 two_byte
cdef int rtp_ext_begin(RtpExtWriter* w, u8* out, size_t cap, size_t pos, bint two_byte) noexcept nogil
cdef int rtp_ext_put(RtpExtWriter* w, u8 id, const u8* value, u8 size) noexcept nogil
# Pads to 32 bits and writes the length. Returns the offset behind the block, or E_SPACE.
cdef int rtp_ext_end(RtpExtWriter* w) noexcept nogil
