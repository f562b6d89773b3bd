"""Fuzz target of DTLS: datagrams into associations of both roles that live through several of them.

Invariant: no byte outside the input is touched, states only go forward, no keys come without a connection, what is sent keeps to the
datagram limit.
"""

from libc.string cimport memset

from simplestchat._native.core.types cimport E_NOMEM, OK, u8, u64, us_t
from simplestchat._native.crypto.dtls cimport (
    DTLS_CONNECTED, DTLS_CONNECTING, DTLS_MAX_DATAGRAM, Dtls, SrtpKeys, dtls_drain, dtls_feed, dtls_free, dtls_keys,
    dtls_new, dtls_set_fingerprint, dtls_start, dtls_state, dtls_tick,
)
from simplestchat._native.crypto.dtls_context cimport DtlsContext, HASH_SHA256, dtls_context_free, dtls_context_new
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, fuzz_below, fuzz_run

FUZZ_TARGETS = ("dtls-feed",)
FUZZ_ROUNDS = 60_000     # a new association costs some 50 µs, and public keys in its input cost more

cdef enum:
    DATAGRAMS = 12       # into one association
    STEP_US = 10000

cdef struct Table:
    DtlsContext* context
    Dtls* dtls           # the association of the moment
    int left             # datagrams until the next one
    us_t now


cdef int _begin(Table* table, u64 random) noexcept nogil:
    cdef u8 digest[32]
    memset(digest, 7, 32)
    dtls_free(table.dtls)
    table.left = DATAGRAMS
    table.dtls = dtls_new(table.context, <int>(random & 1))
    if table.dtls == NULL:
        return E_NOMEM
    if random & 2:
        dtls_set_fingerprint(table.dtls, HASH_SHA256, digest, 32)
    return dtls_start(table.dtls, table.now)


cdef int _feed(void* user, u8* data, size_t size, u64 random) noexcept nogil:
    cdef Table* table = <Table*>user
    cdef u8 out[DTLS_MAX_DATAGRAM]
    cdef SrtpKeys keys
    cdef int result, before, sent = 1
    if table.dtls == NULL or table.left == 0 or dtls_state(table.dtls) > DTLS_CONNECTED:
        result = _begin(table, random)
        if result != OK:
            return FUZZ_BROKEN
    table.left -= 1
    table.now += STEP_US
    before = dtls_state(table.dtls)
    result = dtls_feed(table.dtls, data, size, table.now)
    if fuzz_below(&random, 32) == 0 and dtls_state(table.dtls) == DTLS_CONNECTING:
        table.now += fuzz_below(&random, 40) * 1000000
        dtls_tick(table.dtls, table.now)
    while sent > 0:
        sent = dtls_drain(table.dtls, out, DTLS_MAX_DATAGRAM)
    if sent < 0 or dtls_state(table.dtls) < before:
        return FUZZ_BROKEN
    # Nobody here holds the key of a certificate whose digest is all sevens.
    if dtls_state(table.dtls) == DTLS_CONNECTED or dtls_keys(table.dtls, &keys) == OK:
        return FUZZ_BROKEN
    return result


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated datagrams; return how many were accepted."""
    cdef Table table
    if target != "dtls-feed":
        raise ValueError(f"no such target: {target}")
    memset(&table, 0, sizeof(table))
    table.context = dtls_context_new()
    if table.context == NULL:
        raise MemoryError()
    try:
        return fuzz_run(_feed, &table, target, seed, rounds, corpus)
    finally:
        dtls_free(table.dtls)
        dtls_context_free(table.context)
