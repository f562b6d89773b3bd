# When a path's packets with transport-wide sequence numbers came, and the feedback about them that the server's bandwidth
# estimation lives on (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#
# Rules:
#  - A feedback is due ARRIVALS_SLOW_US after the first packet that none told about yet, ARRIVALS_FAST_US after it when ARRIVALS_MANY
#    wait, and at once when ARRIVALS_SPAN numbers do.
#  - It tells of every number from the end of the one before up to the highest that came. What is missing is told as lost; when it comes
#    after all, up to ARRIVALS_LATEST numbers late, the next feedback begins with it and tells anew of those behind it.
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t

cdef enum:
    ARRIVALS_SIZE = 1024           # numbers remembered, a power of two
    ARRIVALS_SPAN = 480            # of one feedback: each takes two and a quarter bytes of its datagram at worst
    ARRIVALS_LATEST = ARRIVALS_SIZE - ARRIVALS_SPAN
    ARRIVALS_MANY = 10
    ARRIVALS_FAST_US = 50000
    ARRIVALS_SLOW_US = 100000

cdef struct Arrivals:
    us_t due_us                    # of the next feedback, 0x7FFFFFFFFFFFFFFF while there is nothing to tell
    us_t since_us                  # when the first packet came that it will tell about
    us_t newest_us
    u32 waiting                    # such packets
    u16 first                      # number that the next feedback begins with
    u16 end                        # one past the highest
    u8 begun
    u8 feedback_count              # of the next one
    u64 feedbacks
    u32 at[ARRIVALS_SIZE]          # by number & (ARRIVALS_SIZE - 1), modulo 2**32 us; 0: it did not come

cdef Arrivals* arrivals_new() noexcept nogil           # NULL without memory; free() it
# A packet with this number came. One that came already counts no more, nor one that is too late.
cdef void arrivals_packet(Arrivals* a, u16 number, us_t arrival) noexcept nogil
# A feedback that is due, from `sender` about the transport of `media`: its size, or 0 for none. Another may be due right behind it.
cdef int arrivals_write(Arrivals* a, u32 sender, u32 media, us_t now, u8* out, u32 cap) noexcept nogil
