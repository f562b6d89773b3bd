# A token bucket: so much at once, and so much in a time. Looking and spending are apart, so that what turns out to be of
# somebody else is not charged.
from simplestchat._native.core.types cimport i64, us_t

cdef struct Budget:
    i64 credit
    us_t filled_us                 # when credit was last brought up to date

cdef inline void budget_init(Budget* b, i64 burst, us_t now) noexcept nogil:
    b.credit = burst
    b.filled_us = now

# Is there credit, after what came in since the last look? A clock that went back gives nothing.
cdef inline bint budget_has(Budget* b, i64 per_us, i64 burst, us_t now) noexcept nogil:
    cdef us_t passed = now - b.filled_us
    if passed > 0:
        b.filled_us = now
        # Past that time the bucket is full however empty it was; the product stays small.
        b.credit = burst if passed >= (burst - b.credit) // per_us + 1 else b.credit + passed * per_us
    return b.credit > 0

# May leave a debt, which is paid before there is credit again.
cdef inline void budget_spend(Budget* b, i64 amount) noexcept nogil:
    b.credit -= amount
