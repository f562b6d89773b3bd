# Rollover guess and replay windows (RFC 3711 sections 3.3.1 and 3.3.2). Looking changes nothing; only `seen` commits, and it is
# called after authentication.
from libc.string cimport memset
from simplestchat._native.core.types cimport E_LIMIT, E_REPLAY, OK, u16, u32, u64

cdef enum:
    ROC_MAX = 0xFFFFFFFF

# The 48-bit index that a sequence number most likely means, given the highest one authenticated; E_LIMIT past the last
# rollover counter. Before the first rollover "the one before" does not exist: then the number is taken as it stands.
cdef inline int replay_guess(u64 highest, u16 seq, u64* index) noexcept nogil:
    cdef u64 roc = highest >> 16
    cdef int last = <int>(highest & 0xFFFF)
    if last < 0x8000:
        if <int>seq - last > 0x8000 and roc > 0:
            roc -= 1
    elif last - 0x8000 > <int>seq:
        roc += 1
    if roc > ROC_MAX:
        return E_LIMIT
    index[0] = (roc << 16) | seq
    return OK

# A window of `words` * 64 indices ending at `highest`; bit `index % window` is set when that index was seen.
cdef inline int replay_look(const u64* window, u32 words, u64 highest, u64 index) noexcept nogil:
    if index > highest:
        return OK
    if highest - index >= words * 64:
        return E_REPLAY
    return E_REPLAY if window[(index >> 6) % words] >> (index & 63) & 1 else OK

# Marks an index that replay_look let through, and returns the new highest.
cdef inline u64 replay_seen(u64* window, u32 words, u64 highest, u64 index) noexcept nogil:
    cdef u64 i
    if index > highest:
        if index - highest >= words * 64:
            memset(window, 0, words * sizeof(u64))
        else:
            for i in range(highest + 1, index):
                window[(i >> 6) % words] &= ~(<u64>1 << (i & 63))
        highest = index
    window[(index >> 6) % words] |= <u64>1 << (index & 63)
    return highest
