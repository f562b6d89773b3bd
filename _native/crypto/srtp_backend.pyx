"""Which library does SRTP's work for RTP: libcrypto, or ipsec-mb where it is there and agrees with libcrypto.

Chosen once, before the first context. Agreement is tried, not believed: packets of many sizes are sealed by both, singly and in a
batch, and opened crosswise; damaged ones must be refused.
"""

from libc.string cimport memcmp, memset

from simplestchat._native.core.bytes cimport put16, put32
from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.crypto.ipsecmb cimport mb_open, mb_version
from simplestchat._native.crypto.srtp cimport (
    SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80, SealJob, SrtpContext, SrtpRecvState, srtp_free, srtp_new,
    srtp_note, srtp_open, srtp_prefer_mb, srtp_seal_many,
)

from simplestchat._native.core.errors import MisuseError

cdef enum:
    TRIALS = 40                    # more than one processor works on at once
    ROOM = 1600
    HEADER = 12
    SIZE_STEP = 37                 # payloads of 1, 38, ... 1444 bytes: every remainder by a block

cdef dict _SUITES = {
    "AEAD_AES_128_GCM": SRTP_AEAD_AES_128_GCM, "AEAD_AES_256_GCM": SRTP_AEAD_AES_256_GCM,
    "AES_CM_128_HMAC_SHA1_80": SRTP_AES128_CM_SHA1_80,
}
BACKENDS = ("auto", "openssl", "ipsec-mb")

cdef u32 _chosen = 0               # a bit for each suite that ipsec-mb works for

cdef struct Trial:
    u8 plain[TRIALS][ROOM]
    u8 ours[TRIALS][ROOM]
    u8 theirs[TRIALS][ROOM]
    u8 opened[ROOM]
    SealJob jobs[TRIALS]


cdef bint _seal_all(SrtpContext* ctx, Trial* t, bint into_ours) noexcept nogil:
    cdef u8* out
    cdef int i
    for i in range(TRIALS):
        out = &t.ours[i][0] if into_ours else &t.theirs[i][0]
        if srtp_note(&t.jobs[i], ctx, 65500 + <u64>i, t.plain[i], HEADER, NULL, 0, t.plain[i] + HEADER, 1 + i * SIZE_STEP, out, ROOM) < 0:
            return False
    return srtp_seal_many(t.jobs, TRIALS) == 0


cdef bint _opens(SrtpContext* ctx, u8* sealed, int size, Trial* t, int i) noexcept nogil:
    """Whether the packet opens to what it was, and does not with a bit of its tag changed."""
    cdef SrtpRecvState state
    cdef u64 index
    cdef int plain
    memset(&state, 0, sizeof(state))
    plain = srtp_open(ctx, &state, sealed, size, HEADER, t.opened, ROOM, &index)
    if plain != HEADER + 1 + i * SIZE_STEP or memcmp(t.opened, t.plain[i], plain) != 0:
        return False
    sealed[size - 1] ^= 1
    memset(&state, 0, sizeof(state))
    plain = srtp_open(ctx, &state, sealed, size, HEADER, t.opened, ROOM, &index)
    sealed[size - 1] ^= 1
    return plain < 0


cdef bint _same(SrtpContext* mb, SrtpContext* openssl, Trial* t) noexcept nogil:
    cdef int i
    cdef int size
    if mb == NULL or openssl == NULL or not _seal_all(mb, t, True) or not _seal_all(openssl, t, False):
        return False
    for i in range(TRIALS):
        size = t.jobs[i].size
        if memcmp(t.ours[i], t.theirs[i], size) != 0:
            return False
        if not _opens(mb, t.theirs[i], size, t, i) or not _opens(openssl, t.ours[i], size, t, i):
            return False
    return True


cdef bint _agrees(int suite) noexcept nogil:
    """Whether both libraries do the same with this suite. Leaves libcrypto chosen."""
    cdef u8 key[46]
    cdef Trial t
    cdef SrtpContext* mb
    cdef SrtpContext* openssl
    cdef bint same
    cdef int i
    cdef int k
    for i in range(46):
        key[i] = <u8>(i * 7 + suite)
    for i in range(TRIALS):
        for k in range(ROOM):
            t.plain[i][k] = <u8>(k * 31 + i)
        t.plain[i][0] = 0x80
        put16(t.plain[i] + 2, 65500 + i)
        put32(t.plain[i] + 8, 1 + i % 3)
    srtp_prefer_mb(<u32>1 << suite)
    mb = srtp_new(suite, key, key + 32)
    srtp_prefer_mb(0)
    openssl = srtp_new(suite, key, key + 32)
    srtp_prefer_mb(<u32>1 << suite)
    same = _same(mb, openssl, &t)                # while it is preferred: a batch looks at that
    srtp_prefer_mb(0)
    srtp_free(mb)
    srtp_free(openssl)
    return same


def problem():
    """Why ipsec-mb cannot be used; None when it can."""
    cdef const char* why = mb_open()
    if why != NULL:
        return (<bytes>why).decode()
    for name, suite in _SUITES.items():
        if not _agrees(suite):
            srtp_prefer_mb(_chosen)
            return f"it does not agree with OpenSSL about {name}"
    srtp_prefer_mb(_chosen)
    return None


def choose(str backend):
    """Choose for contexts that are made from now on; MisuseError when ipsec-mb is asked for and cannot be used."""
    global _chosen
    if backend not in BACKENDS:
        raise MisuseError(f"SRTP backend {backend!r} is not one of {', '.join(BACKENDS)}")
    why = None if backend == "openssl" else problem()
    if backend == "ipsec-mb" and why is not None:
        raise MisuseError(f"ipsec-mb cannot be used: {why}")
    _chosen = 0
    if backend != "openssl" and why is None:
        for suite in _SUITES.values():
            _chosen |= <u32>1 << <int>suite
    srtp_prefer_mb(_chosen)


def chosen():
    """The library that does each suite's work."""
    return {name: "ipsec-mb" if _chosen >> <int>suite & 1 else "openssl" for name, suite in _SUITES.items()}


def version():
    """ipsec-mb's version, such as 1.3.0; None while it is not loaded."""
    cdef u32 number = mb_version()
    return f"{number >> 16}.{number >> 8 & 255}.{number & 255}" if number else None
