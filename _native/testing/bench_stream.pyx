"""Loops in C around what a forwarded packet passes between parsing and sealing, and around the timers and checks beside it.

Each function works ``rounds`` times and returns how often what it did was done.
"""

from libc.stdlib cimport calloc, free

from simplestchat._native.core.types cimport OK, u8, u16, u32, u64, us_t
from simplestchat._native.crypto.hmacsha1 cimport SHA1_SIZE, HmacSha1, hmac_sha1_end, hmac_sha1_key
from simplestchat._native.crypto.openssl cimport SHA1_Update, SHA_CTX
from simplestchat._native.crypto.stunauth cimport stun_verify
from simplestchat._native.engine.entities cimport NEVER_US, Heap, Transport
from simplestchat._native.engine.timers cimport timers_add, timers_first, timers_free, timers_set
from simplestchat._native.stream.nack cimport NackList, nack_collect, nack_init, nack_received
from simplestchat._native.stream.recv cimport RecvStats, recv_init, recv_packet
from simplestchat._native.stream.sent cimport SentRing, sent_find, sent_free, sent_init, sent_put
from simplestchat._native.stream.tsmap cimport TsMap, tsmap_forward, tsmap_init, tsmap_switch
from simplestchat._native.testing.exact cimport Exact, exact_copy
from simplestchat._native.wire.rtcp cimport NackItem
from simplestchat._native.wire.stun cimport StunView, stun_parse

cdef enum:
    RING = 512
    MAX_TIMERS = 16384


def bench_tsmap(u32 rounds):
    """Map timestamps of one run."""
    cdef TsMap map
    cdef u32 i, sum = 0
    tsmap_init(&map, 90000)
    tsmap_switch(&map, 0, 0)
    with nogil:
        for i in range(rounds):
            sum ^= tsmap_forward(&map, i * 3000, i)
    return rounds if sum != 1 else 0


def bench_recv_stats(u32 rounds):
    """Count a received packet, with its jitter."""
    cdef RecvStats stats
    cdef u64 expected = 0
    cdef u32 i
    recv_init(&stats, 1, 90000)
    with nogil:
        for i in range(rounds):
            expected += recv_packet(&stats, 1 + i, i * 3000, 1100, 33333 * <us_t>i)
    return expected


def bench_nack(u32 rounds, u32 lose_every):
    """Note packets as received; each `lose_every`-th (0: none) is missing, and asked for with the next one."""
    cdef NackList list
    cdef NackItem items[16]
    cdef u32 given_up = 0
    cdef us_t now = 0
    cdef u32 i
    nack_init(&list)
    with nogil:
        for i in range(rounds):
            now += 1000
            if lose_every == 0 or i % lose_every != lose_every - 1:
                nack_received(&list, 1 + i, now)
            if list.deadline <= now:
                nack_collect(&list, now, 50000, items, 16, &given_up)
    return rounds


def bench_sent_put(u32 rounds):
    """Remember a sent packet."""
    cdef SentRing ring
    cdef u32 i
    sent_init(&ring, RING)
    with nogil:
        for i in range(rounds):
            sent_put(&ring, i, 0, i, i, 0, i)
    sent_free(&ring)
    return rounds


def bench_sent_find(u32 rounds):
    """Find a remembered packet by the sequence of a NACK."""
    cdef SentRing ring
    cdef u32 i
    cdef u32 found = 0
    sent_init(&ring, RING)
    with nogil:
        for i in range(<u32>RING):
            sent_put(&ring, i, 0, i, i, 0, i)
        for i in range(rounds):
            found += sent_find(&ring, <u16>(i % RING), RING) != NULL
    sent_free(&ring)
    return found


def bench_timers(u32 timers, u32 rounds):
    """The first of `timers` transports comes due and is set anew, as one that reports once a second is."""
    cdef Heap heap
    cdef Transport* transports
    cdef Transport* first
    cdef us_t now = 0
    cdef u32 i
    if not 1 <= timers <= MAX_TIMERS:
        raise ValueError("too many timers")
    heap.items = NULL
    heap.count = heap.capacity = 0
    transports = <Transport*>calloc(timers, sizeof(Transport))
    if transports == NULL:
        raise MemoryError
    for i in range(timers):
        transports[i].deadline_us = NEVER_US
        timers_add(&heap, &transports[i])
        timers_set(&heap, &transports[i], <u64>i * 7919 % timers * 1000)
    with nogil:
        for i in range(rounds):
            first = timers_first(&heap)
            now = first.deadline_us
            timers_set(&heap, first, now + 1000000 + i % 7 * 1000)
    timers_free(&heap)
    free(transports)
    return rounds


def bench_stun_verify(bytes packet, bytes password, size_t rounds):
    """Parse a check and verify its MESSAGE-INTEGRITY."""
    cdef Exact copy = exact_copy(packet)
    cdef const u8* key = password
    cdef size_t key_size = len(password)
    cdef StunView view
    cdef size_t good = 0, i
    with nogil:
        for i in range(rounds):
            if stun_parse(copy.data, copy.size, &view) >= 0:
                good += stun_verify(copy.data, copy.size, &view, key, key_size) == OK
    return good


def floor_stun_verify(bytes packet, bytes password, size_t rounds):
    """HMAC-SHA1 by libcrypto over as many bytes."""
    cdef Exact copy = exact_copy(packet)
    cdef const u8* key = password
    cdef size_t key_size = len(password)
    cdef HmacSha1 hmac
    cdef SHA_CTX hash
    cdef u8 digest[SHA1_SIZE]
    cdef size_t i
    with nogil:
        for i in range(rounds):
            hmac_sha1_key(&hmac, key, key_size)
            hash = hmac.inner
            SHA1_Update(&hash, copy.data, copy.size)
            hmac_sha1_end(&hmac, &hash, digest)
    return rounds
