# Opus packets (RFC 6716 section 3, RFC 7587): how long they are, and whether they say anything (DTX) or say it twice (in-band FEC).
from simplestchat._native.core.types cimport u8, u16

cdef enum:
    OPUS_MAX_FRAMES = 48         # 120 ms of 2.5 ms

cdef struct OpusView:
    u8 config            # mode, bandwidth and length of a frame, 0..31
    u8 stereo
    u8 frame_count       # 1..48
    u8 dtx               # no frame has more than a byte: nothing is said
    u8 has_fec           # its first frame carries the one before once more
    u16 duration         # samples at 48 kHz

# OK, E_SHORT or E_MALFORMED.
cdef int opus_parse(const u8* payload, size_t size, OpusView* out) noexcept nogil
