"""A record of every sealed index, so that a repeated nonce is seen; the contract is in taint.pxd."""

import os

from libc.stdlib cimport calloc, free

from simplestchat._native.core.bytes cimport get64
from simplestchat._native.core.types cimport E_NOMEM, OK, u8, u32, u64
from simplestchat._native.crypto.hmacsha1 cimport SHA1_SIZE
from simplestchat._native.crypto.openssl cimport SHA1_Final, SHA1_Init, SHA1_Update, SHA_CTX

cdef struct Entry:
    u64 key_id
    u64 index                # with TAINT_RTCP_BIT
    u64 hash
    u32 ssrc
    u32 next                 # of the same bucket, place + 1; 0 ends

cdef struct Table:
    Entry* entries           # a ring: the next place holds the oldest entry
    u32* buckets             # place + 1 of the newest entry, 0 when empty
    u32 place
    u64 records
    u64 repeats

cdef Table _table
_table.entries = NULL
_table.buckets = NULL


cdef u32* _bucket(u64 key_id, u32 ssrc, u64 index) noexcept nogil:
    cdef u64 mixed = (key_id ^ (<u64>ssrc << 32) ^ index) * 0x9E3779B97F4A7C15ULL
    return &_table.buckets[(mixed >> 40) & (TAINT_BUCKETS - 1)]


cdef void _forget(u32 place) noexcept nogil:
    cdef Entry* old = &_table.entries[place]
    cdef u32* link = _bucket(old.key_id, old.ssrc, old.index)
    while link[0] != 0:
        if link[0] == place + 1:
            link[0] = old.next
            return
        link = &_table.entries[link[0] - 1].next


cdef u64 _hash(const u8* header, size_t header_size, const u8* prefix, size_t prefix_size, const u8* payload,
               size_t payload_size) noexcept nogil:
    cdef SHA_CTX hash
    cdef u8 digest[SHA1_SIZE]
    SHA1_Init(&hash)
    SHA1_Update(&hash, header, header_size)
    SHA1_Update(&hash, prefix, prefix_size)
    SHA1_Update(&hash, payload, payload_size)
    SHA1_Final(digest, &hash)
    return get64(digest)


cdef void taint_record(u64 key_id, u32 ssrc, u64 index, const u8* header, size_t header_size, const u8* prefix,
                       size_t prefix_size, const u8* payload, size_t payload_size) noexcept nogil:
    cdef u64 hash = _hash(header, header_size, prefix, prefix_size, payload, payload_size)
    cdef u32* bucket = _bucket(key_id, ssrc, index)
    cdef u32 at = bucket[0]
    cdef Entry* entry
    _table.records += 1
    while at != 0:
        entry = &_table.entries[at - 1]
        if entry.key_id == key_id and entry.ssrc == ssrc and entry.index == index:
            _table.repeats += entry.hash != hash
            return
        at = entry.next
    if _table.records > TAINT_CAPACITY:
        _forget(_table.place)
    entry = &_table.entries[_table.place]
    entry.key_id = key_id
    entry.ssrc = ssrc
    entry.index = index
    entry.hash = hash
    entry.next = bucket[0]
    bucket[0] = _table.place + 1
    _table.place = (_table.place + 1) & (TAINT_CAPACITY - 1)


cdef int taint_switch(bint on) noexcept nogil:
    global taint_on
    taint_on = False
    free(_table.entries)
    free(_table.buckets)
    _table.entries = NULL
    _table.buckets = NULL
    _table.place = 0
    _table.records = 0
    _table.repeats = 0
    if not on:
        return OK
    _table.entries = <Entry*>calloc(TAINT_CAPACITY, sizeof(Entry))
    _table.buckets = <u32*>calloc(TAINT_BUCKETS, sizeof(u32))
    if _table.entries == NULL or _table.buckets == NULL:
        taint_switch(False)
        return E_NOMEM
    taint_on = True
    return OK


cdef u64 taint_repeats() noexcept nogil:
    return _table.repeats


cdef u64 taint_records() noexcept nogil:
    return _table.records


if os.environ.get("SIMPLESTCHAT_TAINT") == "1" and taint_switch(True) != OK:
    raise MemoryError("no memory for the taint check")
