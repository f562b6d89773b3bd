# The far end of an emulated flow: notes arrivals by transport-wide number and tells them in real transport-cc bytes, on a clock
# of its own, over a way back that delays and loses.
from simplestchat._native.cc.bwe cimport Bwe
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t
from simplestchat._native.testing.cc_path cimport Path

cdef enum:
    RECEIVER_WINDOW = 8192       # numbers
    RECEIVER_LATE = 512          # numbers that may still be told when later ones were
    RECEIVER_LINE = 64           # feedbacks on their way
    RECEIVER_BYTES = 2048

cdef struct OnTheWay:
    us_t due_us
    u32 size
    u8 data[RECEIVER_BYTES]

cdef struct Receiver:
    us_t arrivals[RECEIVER_WINDOW]   # on the true clock; 0: not (yet), -1: told
    u64 told                     # all before this number was told once
    u64 highest                  # one behind the highest that was sent so far
    us_t next_us                 # next feedback
    us_t least_gap_us
    us_t most_gap_us
    us_t back_us                 # one way
    double back_loss
    double drift                 # of its clock, share
    us_t offset_us
    u8 count
    OnTheWay line[RECEIVER_LINE]
    u32 first
    u32 waiting
    u64 written                  # feedbacks

cdef void receiver_sent(Receiver* r, u64 number) noexcept nogil
cdef void receiver_arrives(Receiver* r, u64 number, us_t at) noexcept nogil
# Writes what is due, hands over what has come back.
cdef void receiver_step(Receiver* r, Path* path, Bwe* b, us_t now) noexcept nogil
