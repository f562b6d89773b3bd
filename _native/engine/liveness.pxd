# Which encodings of a producer are being sent.
#
#  - Only those are chosen, and what the others would take is not reckoned with.
#  - One of several that sent nothing for ALIVE_US is not, when the others went on meanwhile: they sent some frames each.
#  - Where they are all slow together, as those of a shared screen on which nothing moves (browsers repeat it once a second), that takes
#    STILL_US: the one whose packets come first would else be taken for the only one.
#  - Where there is only one, it takes ALONE_US.
from simplestchat._native.core.types cimport u8, us_t
from simplestchat._native.engine.entities cimport Producer, Stream

cdef enum:
    ALIVE_US = 750000              # with the next packet of another it is noticed within a second
    ALONE_US = 1000000
    STILL_US = 3000000
    OUTRUN_FRAMES = 2              # by each encoding on average

# A packet of this encoding arrived; `last`: of its frame.
cdef void liveness_packet(Producer* p, u8 stream, bint last, us_t now) noexcept nogil
cdef bint liveness_of(const Producer* p, const Stream* st, us_t now) noexcept nogil
# A bit for each encoding that is being sent.
cdef u8 liveness_mask(const Producer* p, us_t now) noexcept nogil
