# When the numbered packets of a sender came: what transport-wide feedback tells it (draft-holmer-rmcat-transport-wide-cc-extensions-01
# section 3).
#
# Rules:
#  - A feedback tells of every number from the first one that was not told of yet up to the newest that came, lost ones too.
#  - A packet that comes late is told of once more: the next feedback begins with it, as long as its place in the ring is its own.
#  - A jump past the ring forgets what was before: numbers of a peer that begins anew, or lies, cost no more than that.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    ARRIVALS_RING = 1024
    ARRIVALS_SOON_US = 50000     # between feedbacks when packets are many
    ARRIVALS_LATE_US = 100000    # and when they are few
    ARRIVALS_MANY = 16
    ARRIVALS_NEVER_US = 0x7FFFFFFFFFFFFFFF

cdef struct Arrivals:
    us_t came_us[ARRIVALS_RING]  # 0: not yet
    u64 next                     # first number not told of; numbers are unwrapped
    u64 end                      # behind the newest that came
    us_t told_us                 # last feedback
    us_t due_us                  # next one; ARRIVALS_NEVER_US: nothing to tell
    u32 count                    # packets since the last one
    u8 begun
    u8 feedback_count

cdef void arrivals_init(Arrivals* a) noexcept nogil
cdef void arrivals_note(Arrivals* a, u16 number, us_t now) noexcept nogil
# One feedback about `media`, from `sender`; call again until it is 0: all is told. Bytes written.
cdef int arrivals_write(Arrivals* a, u8* out, size_t cap, u32 sender, u32 media, us_t now) noexcept nogil
