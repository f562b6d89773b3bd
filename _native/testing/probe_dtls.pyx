"""Doors to DTLS: datagrams and virtual time in, datagrams and keys out.

Input is copied to heap memory of exactly its size. A negative status raises NativeError, but ``feed`` returns it: a datagram that is
dropped is the peer's business.
"""

from cython cimport final
from libc.string cimport memset

from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport E_INTERNAL, us_t
from simplestchat._native.crypto.dtls cimport (
    DTLS_CLIENT, DTLS_MAX_DATAGRAM, DTLS_NO_DEADLINE, DTLS_SERVER, Dtls as CDtls, SrtpKeys, dtls_close, dtls_deadline,
    dtls_drain, dtls_feed, dtls_free, dtls_keys, dtls_new, dtls_set_fingerprint, dtls_start, dtls_state, dtls_tick,
)
from simplestchat._native.crypto.dtls_context cimport (
    DtlsContext as CDtlsContext, dtls_context_fingerprint, dtls_context_free, dtls_context_new,
)
from simplestchat._native.crypto.openssl cimport OPENSSL_cleanse
from simplestchat._native.crypto.srtp cimport srtp_key_size, srtp_salt_size
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room

_STATES = ("new", "connecting", "connected", "failed", "closed")
_HASHES = ("sha-256", "sha-384", "sha-512")


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


@final
cdef class DtlsContext:
    """A key and a certificate, and what associations share."""

    cdef CDtlsContext* ctx

    def __cinit__(self):
        self.ctx = dtls_context_new()
        if self.ctx == NULL:
            raise_status(E_INTERNAL, "DTLS context")

    def __dealloc__(self):
        dtls_context_free(self.ctx)

    def fingerprint(self, str hash="sha-256"):
        """Return the digest of the certificate."""
        cdef Exact out = exact_room(64)
        size = _check(dtls_context_fingerprint(self.ctx, _HASHES.index(hash), out.data), "fingerprint")
        return bytes(out.data[:size])


@final
cdef class Dtls:
    """One association; ``role`` is "client" or "server"."""

    cdef CDtls* dtls
    cdef DtlsContext _context         # outlives the association

    def __cinit__(self, DtlsContext context, str role):
        if role not in ("client", "server"):
            raise ValueError(role)
        self._context = context
        self.dtls = dtls_new(context.ctx, DTLS_CLIENT if role == "client" else DTLS_SERVER)
        if self.dtls == NULL:
            raise_status(E_INTERNAL, "DTLS association")

    def __dealloc__(self):
        dtls_free(self.dtls)

    def set_fingerprint(self, str hash, bytes digest):
        """Announce the digest of the peer's certificate."""
        cdef Exact data = exact_copy(digest)
        _check(dtls_set_fingerprint(self.dtls, _HASHES.index(hash), data.data, data.size), "fingerprint")

    def start(self, us_t now):
        """Begin the handshake."""
        _check(dtls_start(self.dtls, now), "DTLS handshake")

    def feed(self, bytes datagram, us_t now):
        """Take one datagram; a negative status means that all of it was dropped."""
        cdef Exact data = exact_copy(datagram)
        return dtls_feed(self.dtls, data.data, data.size, now)

    def drain(self):
        """Return the datagrams to send."""
        cdef Exact out = exact_room(DTLS_MAX_DATAGRAM)
        datagrams = []
        while size := _check(dtls_drain(self.dtls, out.data, out.size), "DTLS datagram"):
            datagrams.append(bytes(out.data[:size]))
        return datagrams

    def tick(self, us_t now):
        """Do what is due."""
        dtls_tick(self.dtls, now)

    @property
    def deadline(self):
        """When ``tick`` has something to do, or None."""
        cdef us_t at = dtls_deadline(self.dtls)
        return None if at == DTLS_NO_DEADLINE else at

    @property
    def state(self):
        """One of new, connecting, connected, failed, closed."""
        return _STATES[dtls_state(self.dtls)]

    def keys(self):
        """Return (SRTP suite, send key, send salt, receive key, receive salt)."""
        cdef SrtpKeys keys
        memset(&keys, 0, sizeof(keys))
        _check(dtls_keys(self.dtls, &keys), "SRTP keys")
        key = srtp_key_size(keys.suite)
        salt = srtp_salt_size(keys.suite)
        found = (keys.suite, bytes(keys.send_key[:key]), bytes(keys.send_salt[:salt]), bytes(keys.recv_key[:key]),
                 bytes(keys.recv_salt[:salt]))
        OPENSSL_cleanse(&keys, sizeof(keys))
        return found

    def close(self):
        """Queue a close_notify."""
        dtls_close(self.dtls)
