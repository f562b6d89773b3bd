# Between libssl and datagrams: a BIO that hands libssl one record at a time and keeps the records that it writes, and the schedule of
# retransmissions (RFC 6347 section 4.2.4).
#
# libssl retransmits when its own timer is due by the wall clock, and it looks at every step, not only when it is told to. So it
# is told a time that is due within 2 ms (it rounds 15 ms down to nothing): what it then sends unasked is muted, and
# link_resend, which asks, finds it due. The schedule runs on `now`, which its user sets before each step.
from simplestchat._native.core.types cimport u8, u32, u64, us_t
from simplestchat._native.crypto.dtls_outbound cimport Outbound
from simplestchat._native.crypto.openssl cimport SSL

cdef enum:
    LINK_NEVER_US = 0x7FFFFFFFFFFFFFFF
    # The first wait, which then doubles up to 1 s. RFC 6347 suggests 1 s and allows less where time matters (RFC 9147 section 5.8.2 too):
    # people wait for this handshake, and a lost datagram should not cost them a second.
    LINK_FIRST_TIMEOUT_US = 250000

cdef struct DtlsLink:
    const u8* input          # the record that libssl reads next, NULL when it has read it
    u32 input_size
    Outbound out
    us_t now
    us_t sent_us             # when the last flight, or its repeat, was sent
    us_t resend_us           # when it is sent again, or LINK_NEVER_US
    us_t timeout_us          # what the schedule waits now
    u32 resends              # of the last flight
    u32 timer_runs           # of libssl's timer since it was last set anew
    u64 next_numbers[2]      # of our next records of epoch 0 and 1
    u64 next_nonce           # behind the explicit one of the last record of epoch 1
    u8 ticking               # libssl was asked to retransmit
    u8 muting                # the retransmission that comes next was not asked for
    u8 muted

# Makes `link`, which must not move, the transport of `ssl`. OK or E_NOMEM.
cdef int link_attach(DtlsLink* link, SSL* ssl, long mtu) noexcept nogil
# Before a step of libssl: the record that it may read, or NULL.
cdef void link_offer(DtlsLink* link, const u8* record, size_t size) noexcept nogil
# The last flight again. OK, or E_STATE when libssl gave up.
cdef int link_resend(DtlsLink* link, SSL* ssl) noexcept nogil
# The peer repeats its last flight, so ours was lost: repeats it, but not too often.
cdef int link_repeated(DtlsLink* link, SSL* ssl) noexcept nogil
