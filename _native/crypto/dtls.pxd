# DTLS 1.2 (RFC 6347) with use_srtp (RFC 5764) over libssl and a BIO of our own that keeps records: sans-IO, both roles.
#
# new -> connecting -> connected -> closed, or failed from any of the first two. The peer's certificate is checked against the
# announced fingerprint before `connected`; without an announced fingerprint the handshake may go on but ends only once one
# is set. libssl's own timer reads a clock; it is kept out of the way, and a schedule here (RFC 6347 section 4.2.4) decides; `now`
# comes in as an argument. A handshake that is not over in time has failed.
#
# libssl's part, some 60 KB while it works, lives from the start of the handshake to its end only; an association that waits or that is
# connected has about 1 KB.
from simplestchat._native.core.types cimport u8, u32, us_t
from simplestchat._native.crypto.dtls_context cimport DtlsContext

cdef enum DtlsRole:
    DTLS_CLIENT = 0
    DTLS_SERVER = 1

cdef enum DtlsState:
    DTLS_NEW = 0
    DTLS_CONNECTING = 1
    DTLS_CONNECTED = 2
    DTLS_FAILED = 3
    DTLS_CLOSED = 4

cdef enum:
    DTLS_MAX_DATAGRAM = 1200
    # From a client's start, or from the first handshake bytes of a server's peer.
    DTLS_HANDSHAKE_TIMEOUT_US = 30000000
    DTLS_NO_DEADLINE = 0x7FFFFFFFFFFFFFFF

cdef struct Dtls             # one association

# What srtp_new needs, already split by direction (RFC 5764 section 4.2).
cdef struct SrtpKeys:
    int suite
    u8 send_key[32]
    u8 send_salt[14]
    u8 recv_key[32]
    u8 recv_salt[14]

cdef Dtls* dtls_new(DtlsContext* ctx, int role) noexcept nogil
cdef void dtls_free(Dtls* dtls) noexcept nogil
# The announced digest of the peer's certificate; the strongest hash when several are announced. May come late, and replaces an
# earlier one, until it has been compared: then E_STATE.
cdef int dtls_set_fingerprint(Dtls* dtls, int hash, const u8* digest, size_t size) noexcept nogil
# Starts the handshake (a client sends its ClientHello; a server waits). OK or < 0.
cdef int dtls_start(Dtls* dtls, us_t now) noexcept nogil
# One received datagram. OK, or < 0 for a datagram that was dropped; the state tells the rest.
cdef int dtls_feed(Dtls* dtls, const u8* data, size_t size, us_t now) noexcept nogil
# The next datagram to send, at most DTLS_MAX_DATAGRAM bytes; 0 when there is none.
cdef int dtls_drain(Dtls* dtls, u8* out, size_t cap) noexcept nogil
cdef us_t dtls_deadline(const Dtls* dtls) noexcept nogil
cdef void dtls_tick(Dtls* dtls, us_t now) noexcept nogil     # call when the deadline has passed
cdef int dtls_state(const Dtls* dtls) noexcept nogil
cdef int dtls_keys(const Dtls* dtls, SrtpKeys* out) noexcept nogil # only when connected
# How often libssl was set to work so far: what takes no step of its costs no public-key operation.
cdef u32 dtls_steps(const Dtls* dtls) noexcept nogil
cdef bint dtls_is_open(const Dtls* dtls) noexcept nogil     # does libssl's part live?
cdef void dtls_close(Dtls* dtls) noexcept nogil              # queues a close_notify
