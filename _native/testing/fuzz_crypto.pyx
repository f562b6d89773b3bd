"""Fuzz targets of SRTP, SRTCP and STUN integrity.

Invariant of each: no byte outside the input or output buffer is touched, a refused packet leaves the receiver's state as it was,
an accepted one has the size and header that it came with.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from simplestchat._native.core.types cimport E_NOMEM, OK, u8, u16, u64
from simplestchat._native.crypto.srtcp cimport srtcp_open
from simplestchat._native.crypto.srtp cimport (
    SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80, SrtpContext, SrtpRecvState, srtp_free,
    srtp_new, srtp_open, srtp_tag_size,
)
from simplestchat._native.crypto.stunauth cimport stun_seal, stun_verify
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FUZZ_MAX_SIZE, FuzzTarget, fuzz_below, fuzz_run
from simplestchat._native.wire.rtp cimport RtpView, rtp_parse
from simplestchat._native.wire.stun cimport STUN_HEADER_SIZE, StunView, stun_parse

FUZZ_TARGETS = ("srtp-open", "srtcp-open", "stun-verify")
FUZZ_KEY = bytes(range(32))      # the corpus is sealed with these
FUZZ_SALT = bytes(range(64, 78))

cdef enum:
    SUITES = 3
    SEAL_ROOM = 32               # what stun_seal appends

cdef int _SUITE[SUITES]
_SUITE[:] = [SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM]

cdef struct Bench:
    SrtpContext* contexts[SUITES]
    SrtpRecvState states[SUITES]     # live through a run; half of the inputs meet a fresh one instead
    u8 key[32]


cdef int _srtp_open(void* user, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Bench* bench = <Bench*>user
    cdef int at = <int>fuzz_below(&random, SUITES)
    cdef size_t tag = srtp_tag_size(_SUITE[at])
    cdef size_t cap = size - tag if size > tag else 0
    cdef size_t header = 0
    cdef u64 index = 0
    cdef SrtpRecvState fresh, before
    cdef SrtpRecvState* state = &bench.states[at]
    cdef RtpView view
    cdef u8* out
    cdef int result
    memset(&fresh, 0, sizeof(fresh))
    if fuzz_below(&random, 2):
        state = &fresh
    if fuzz_below(&random, 16) == 0:
        header = fuzz_below(&random, 120)        # a wrong one must not hurt
    elif rtp_parse(data, size, &view) == OK:
        header = view.header_size
    if fuzz_below(&random, 16) == 0:
        cap = fuzz_below(&random, cap + 1)
    before = state[0]
    out = <u8*>malloc(cap)
    if out == NULL:
        return E_NOMEM
    result = srtp_open(bench.contexts[at], state, data, size, header, out, cap, &index)
    if result < 0:
        if memcmp(&before, state, sizeof(before)) != 0:
            result = FUZZ_BROKEN
    elif <size_t>result + tag != size or memcmp(out, data, header) != 0 or state.highest < index:
        result = FUZZ_BROKEN
    free(out)
    return result


cdef int _srtcp_open(void* user, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Bench* bench = <Bench*>user
    cdef int at = <int>fuzz_below(&random, SUITES)
    cdef size_t overhead = srtp_tag_size(_SUITE[at]) + 4
    cdef size_t cap = size - overhead if size > overhead else 0
    cdef u8* out
    cdef int result
    if fuzz_below(&random, 16) == 0:
        cap = fuzz_below(&random, cap + 1)
    out = <u8*>malloc(cap)
    if out == NULL:
        return E_NOMEM
    result = srtcp_open(bench.contexts[at], data, size, out, cap)
    if result >= 0 and (<size_t>result + overhead != size or memcmp(out, data, 8) != 0):
        result = FUZZ_BROKEN
    elif result >= 0 and srtcp_open(bench.contexts[at], data, size, out, cap) >= 0:
        result = FUZZ_BROKEN                     # taken twice
    free(out)
    return result


# What is parsed is sealed again, and must then verify.
cdef int _seal_again(const u8* data, size_t size, const u8* key, size_t key_size, size_t cap) noexcept nogil:
    cdef StunView view
    cdef u8* out = <u8*>malloc(cap)
    cdef int result
    if out == NULL:
        return E_NOMEM
    memcpy(out, data, size)
    result = stun_seal(out, size, cap, key, key_size)
    if result >= 0 and stun_parse(out, result, &view) == OK and view.integrity_off == size:
        if stun_verify(out, result, &view, key, key_size) != OK:
            result = FUZZ_BROKEN
    free(out)
    return result


cdef int _stun_verify(void* user, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Bench* bench = <Bench*>user
    cdef size_t key_size = fuzz_below(&random, 32) + 1 if fuzz_below(&random, 4) == 0 else 32
    cdef StunView view
    cdef int result
    if stun_parse(data, size, &view) != OK:
        # A view of something else must not hurt either.
        memset(&view, 0, sizeof(view))
        view.integrity_off = <u16>fuzz_below(&random, size + 64)
        return stun_verify(data, size, &view, bench.key, key_size)
    result = stun_verify(data, size, &view, bench.key, key_size)
    if size + SEAL_ROOM <= FUZZ_MAX_SIZE and size >= STUN_HEADER_SIZE:
        if _seal_again(data, size, bench.key, key_size, size + fuzz_below(&random, SEAL_ROOM + 1)) == FUZZ_BROKEN:
            return FUZZ_BROKEN
    return result


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs of one target; return how many were accepted."""
    cdef Bench bench
    cdef FuzzTarget run
    cdef bytes key = FUZZ_KEY, salt = FUZZ_SALT
    cdef int i
    if target == "srtp-open":
        run = _srtp_open
    elif target == "srtcp-open":
        run = _srtcp_open
    elif target == "stun-verify":
        run = _stun_verify
    else:
        raise ValueError(f"no such target: {target}")
    memset(&bench, 0, sizeof(bench))
    memcpy(bench.key, <const u8*>key, 32)
    try:
        for i in range(SUITES):
            bench.contexts[i] = srtp_new(_SUITE[i], bench.key, <const u8*>salt)
            if bench.contexts[i] == NULL:
                raise MemoryError()
        return fuzz_run(run, &bench, target, seed, rounds, corpus)
    finally:
        for i in range(SUITES):
            srtp_free(bench.contexts[i])
