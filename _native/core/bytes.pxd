# Big-endian loads and stores, and two bounds-checked cursors over (pointer, length).
#
# A cursor never leaves its bounds: a step that would only sets `failed`, reads as zero and writes nothing, and so does every
# step after it. So a parser or writer can take all its steps and look at `failed` once, where the values are first believed.
from libc.string cimport memcpy, memset
from simplestchat._native.core.types cimport E_SPACE, u8, u16, u32, u64

cdef inline u16 get16(const u8* p) noexcept nogil:
    return <u16> ((<u32> p[0] << 8) | p[1])

cdef inline u32 get24(const u8* p) noexcept nogil:
    return (<u32> p[0] << 16) | (<u32> p[1] << 8) | p[2]

cdef inline u32 get32(const u8* p) noexcept nogil:
    return (<u32> p[0] << 24) | (<u32> p[1] << 16) | (<u32> p[2] << 8) | p[3]

cdef inline u64 get64(const u8* p) noexcept nogil:
    return (<u64> get32(p) << 32) | get32(p + 4)

cdef inline void put16(u8* p, u16 value) noexcept nogil:
    p[0] = <u8> (value >> 8)
    p[1] = <u8> (value & 0xFF)

cdef inline void put24(u8* p, u32 value) noexcept nogil:
    p[0] = <u8> ((value >> 16) & 0xFF)
    p[1] = <u8> ((value >> 8) & 0xFF)
    p[2] = <u8> (value & 0xFF)

cdef inline void put32(u8* p, u32 value) noexcept nogil:
    put16(p, <u16> (value >> 16))
    put16(p + 2, <u16> (value & 0xFFFF))

cdef inline void put64(u8* p, u64 value) noexcept nogil:
    put32(p, <u32> (value >> 32))
    put32(p + 4, <u32> (value & 0xFFFFFFFFU))

# A memcpy for counts that are mostly tiny and never known to the compiler: two overlapping moves instead of a call.
cdef inline void copy_small(u8* out, const u8* source, size_t count) noexcept nogil:
    if count > 16:
        memcpy(out, source, count)
    elif count >= 8:
        memcpy(out, source, 8)
        memcpy(out + count - 8, source + count - 8, 8)
    elif count >= 4:
        memcpy(out, source, 4)
        memcpy(out + count - 4, source + count - 4, 4)
    elif count:
        out[0] = source[0]
        out[count >> 1] = source[count >> 1]
        out[count - 1] = source[count - 1]


cdef struct Reader:
    const u8* data
    size_t size
    size_t pos
    bint failed

cdef inline Reader reader(const u8* data, size_t size) noexcept nogil:
    cdef Reader r
    r.data = data
    r.size = size
    r.pos = 0
    r.failed = False
    return r

cdef inline size_t reader_left(const Reader* r) noexcept nogil:
    return 0 if r.failed else r.size - r.pos

# The next `count` bytes, or NULL; passes them.
cdef inline const u8* take(Reader* r, size_t count) noexcept nogil:
    cdef const u8* p
    if r.failed or count > r.size - r.pos:
        r.failed = True
        return NULL
    p = r.data + r.pos
    r.pos += count
    return p

cdef inline u8 take8(Reader* r) noexcept nogil:
    cdef const u8* p = take(r, 1)
    return p[0] if p is not NULL else 0

cdef inline u16 take16(Reader* r) noexcept nogil:
    cdef const u8* p = take(r, 2)
    return get16(p) if p is not NULL else 0

cdef inline u32 take24(Reader* r) noexcept nogil:
    cdef const u8* p = take(r, 3)
    return get24(p) if p is not NULL else 0

cdef inline u32 take32(Reader* r) noexcept nogil:
    cdef const u8* p = take(r, 4)
    return get32(p) if p is not NULL else 0

cdef inline u64 take64(Reader* r) noexcept nogil:
    cdef const u8* p = take(r, 8)
    return get64(p) if p is not NULL else 0


cdef struct Writer:
    u8* data
    size_t cap
    size_t pos
    bint failed

cdef inline Writer writer(u8* data, size_t cap) noexcept nogil:
    cdef Writer w
    w.data = data
    w.cap = cap
    w.pos = 0
    w.failed = False
    return w

# Room for the next `count` bytes, or NULL; passes it.
cdef inline u8* room(Writer* w, size_t count) noexcept nogil:
    cdef u8* p
    if w.failed or count > w.cap - w.pos:
        w.failed = True
        return NULL
    p = w.data + w.pos
    w.pos += count
    return p

cdef inline void add8(Writer* w, u8 value) noexcept nogil:
    cdef u8* p = room(w, 1)
    if p is not NULL:
        p[0] = value

cdef inline void add16(Writer* w, u16 value) noexcept nogil:
    cdef u8* p = room(w, 2)
    if p is not NULL:
        put16(p, value)

cdef inline void add24(Writer* w, u32 value) noexcept nogil:
    cdef u8* p = room(w, 3)
    if p is not NULL:
        put24(p, value)

cdef inline void add32(Writer* w, u32 value) noexcept nogil:
    cdef u8* p = room(w, 4)
    if p is not NULL:
        put32(p, value)

cdef inline void add64(Writer* w, u64 value) noexcept nogil:
    cdef u8* p = room(w, 8)
    if p is not NULL:
        put64(p, value)

cdef inline void add_bytes(Writer* w, const void* source, size_t count) noexcept nogil:
    cdef u8* p = room(w, count)
    if p is not NULL and count:
        memcpy(p, source, count)

cdef inline void add_zeros(Writer* w, size_t count) noexcept nogil:
    cdef u8* p = room(w, count)
    if p is not NULL and count:
        memset(p, 0, count)

# Bytes written, or E_SPACE when a step did not fit.
cdef inline int written(const Writer* w) noexcept nogil:
    return E_SPACE if w.failed else <int> w.pos
