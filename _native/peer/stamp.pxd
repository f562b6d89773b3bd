# What every media payload of a synthetic user says of itself: whose it is, which in a row, when it was due, and a CRC over all of it.
#
# It stands at the end of the codec's descriptor and fills the rest of the payload: 40 bytes of fields, then filler that follows from them, then
# CRC32C (RFC 3720 appendix B.4) over everything before it. Big-endian. Its own length is among the fields, so that bytes added or cut
# off show. Comfort noise carries the smallest stamp. Stamps of layered streams have four bytes more, and as many less to fill.
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t

cdef enum:
    STAMP_SIZE = 48                # fields, least filler and CRC: the smallest whole stamp
    STAMP_MAX_SIZE = 1500          # what fits a datagram
    STAMP_KEYFRAME = 1             # flags: the frame is a keyframe
    STAMP_LAST = 2                 # last packet of its frame
    STAMP_FORBIDDEN = 4            # sent while nobody may get it (muted, refused): its arrival is a misdelivery
    STAMP_SILENCE = 8              # discontinuous transmission: comfort noise

cdef struct Stamp:
    u32 user                       # index of the publishing user in the run
    u8 track                       # which of the user's tracks: see TRACK_* in settings.pxd
    u8 layer                       # simulcast encoding, 0 lowest
    u8 layered                     # the stream has layers in it: then the next five are there, else 0
    u8 spatial                     # layer of the frame, 0 lowest
    u8 temporal
    u8 spatial_count               # layers that the stream has
    u8 back                        # how many pictures back is the one that its frames refer to, 0: none
    u8 inter_layer                 # refers to the spatial layer below
    u8 flags
    u32 frame                      # counts the track's frames, those of several spatial layers as one
    u16 part                       # of the frame (in its spatial layer), 0 first
    u16 parts
    u32 counter                    # counts the encoding's packets, from 0, without gaps
    us_t sent_us                   # when it was due to leave, on this machine's clock (CLOCK_MONOTONIC); on the wire since the epoch

# Fills `size` bytes (STAMP_SIZE to STAMP_MAX_SIZE). OK or E_SPACE.
cdef int stamp_write(u8* out, size_t size, const Stamp* stamp) noexcept nogil
# What this machine's clock read at the beginning of the run, 0 until told. Stamps carry times since then, so that machines whose
# clocks began at different moments understand each other. Once a process, before there is media.
cdef void stamp_set_epoch(us_t epoch) noexcept nogil
# OK; E_SHORT or E_MALFORMED (no stamp of ours); E_AUTH (a stamp whose CRC, length or filler is wrong: corrupt).
cdef int stamp_read(const u8* data, size_t size, Stamp* out) noexcept nogil
# CRC32C of bytes that come in pieces: `crc` is what the piece before gave, 0 for the first.
cdef u32 crc32c(u32 crc, const u8* data, size_t size) noexcept nogil
# The same without the CPU's own instruction.
cdef u32 crc32c_portable(u32 crc, const u8* data, size_t size) noexcept nogil
