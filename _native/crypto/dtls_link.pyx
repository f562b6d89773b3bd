"""A BIO of records and a schedule for libssl; the contract is in dtls_link.pxd."""

from libc.string cimport memcpy

from simplestchat._native.core.bytes cimport get16, get32, get64
from simplestchat._native.core.types cimport E_NOMEM, E_STATE, OK, u8, u32, u64, us_t
from simplestchat._native.crypto.dtls_inbound cimport DTLS_RECORD_HEADER
from simplestchat._native.crypto.dtls_outbound cimport outbound_put
from simplestchat._native.crypto.openssl cimport (
    BIO, BIO_clear_retry_flags, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT, BIO_CTRL_FLUSH, BIO_get_data, BIO_meth_new,
    BIO_meth_set_ctrl, BIO_meth_set_read, BIO_meth_set_write, BIO_METHOD, BIO_new, BIO_set_data, BIO_set_init,
    BIO_set_retry_read, BIO_TYPE_SOURCE_SINK, DTLS_set_timer_cb, DTLSv1_get_timeout, DTLSv1_handle_timeout,
    ERR_clear_error, SSL, SSL_get_rbio, SSL_set_bio, SSL_set_mtu, timeval,
)

cdef extern from "unistd.h" nogil:
    int usleep(unsigned int us)

cdef enum:
    TIMER_US = 17000
    TIMER_SLACK_US = 15000           # what libssl rounds down to nothing
    TIMER_NEVER_US = 2000000000
    TIMER_MAX_RUNS = 11              # libssl gives an association up at its 13th
    MAX_RESENDS = 10                 # of one flight
    RESEND_GAP_US = 40000
    TIMEOUT_MAX_US = 1000000         # RFC 6347 allows up to 60 s, but then a lossy path would hardly be tried in 30 s


# Numbers and nonces are used up also by what is muted.
cdef void _note_numbers(DtlsLink* link, const u8* data, u32 size) noexcept nogil:
    cdef u32 pos = 0
    cdef u32 epoch
    while size - pos >= DTLS_RECORD_HEADER:
        epoch = get16(data + pos + 3)
        if epoch < 2:
            link.next_numbers[epoch] = (<u64>get16(data + pos + 5) << 32 | get32(data + pos + 7)) + 1
        pos += DTLS_RECORD_HEADER
        if epoch == 1 and size - pos >= 8:
            link.next_nonce = get64(data + pos) + 1
        pos += get16(data + pos - 2)
        if pos > size:
            break


cdef int _write(BIO* bio, const char* data, int size) noexcept nogil:
    cdef DtlsLink* link = <DtlsLink*>BIO_get_data(bio)
    _note_numbers(link, <const u8*>data, <u32>size)
    if not link.muted:
        outbound_put(&link.out, <const u8*>data, size)
    return size


cdef int _read(BIO* bio, char* out, int cap) noexcept nogil:
    cdef DtlsLink* link = <DtlsLink*>BIO_get_data(bio)
    cdef int size = <int>link.input_size
    BIO_clear_retry_flags(bio)
    link.muted = False
    if link.input == NULL:
        BIO_set_retry_read(bio)
        return -1
    if size > cap:
        size = cap
    memcpy(out, link.input, size)
    link.input = NULL
    return size


# libssl tells the BIO each time its timer is set (for a new flight or a repeat) or stopped (zero).
cdef void _timer_set(DtlsLink* link, const timeval* at) noexcept nogil:
    link.muted = link.muting
    link.muting = False
    if at.tv_sec == 0 and at.tv_usec == 0:
        link.resend_us = LINK_NEVER_US
    elif not link.muted and not link.ticking:
        link.timeout_us = LINK_FIRST_TIMEOUT_US
        link.sent_us = link.now
        link.resend_us = link.now + link.timeout_us
        link.resends = 0


cdef long _ctrl(BIO* bio, int command, long number, void* pointer) noexcept nogil:
    if command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        _timer_set(<DtlsLink*>BIO_get_data(bio), <timeval*>pointer)
        return 1
    return 1 if command == BIO_CTRL_FLUSH else 0


cdef unsigned int _timer(SSL* ssl, unsigned int previous) noexcept nogil:
    cdef DtlsLink* link = <DtlsLink*>BIO_get_data(SSL_get_rbio(ssl))
    if previous == 0:
        link.timer_runs = 0
        return TIMER_US
    link.timer_runs += 1
    link.muting = not link.ticking
    return TIMER_US if link.timer_runs < TIMER_MAX_RUNS else TIMER_NEVER_US


cdef BIO_METHOD* _method() noexcept nogil:
    cdef BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, b"records")
    if method != NULL:
        BIO_meth_set_write(method, _write)
        BIO_meth_set_read(method, _read)
        BIO_meth_set_ctrl(method, _ctrl)
    return method

cdef BIO_METHOD* _METHOD = _method()         # for the life of the process
if _METHOD == NULL:
    raise MemoryError("no memory for a BIO method")


cdef int link_attach(DtlsLink* link, SSL* ssl, long mtu) noexcept nogil:
    cdef BIO* bio = BIO_new(_METHOD)
    if bio == NULL:
        return E_NOMEM
    link.resend_us = LINK_NEVER_US
    BIO_set_data(bio, link)
    BIO_set_init(bio, 1)
    SSL_set_bio(ssl, bio, bio)
    SSL_set_mtu(ssl, mtu)
    DTLS_set_timer_cb(ssl, _timer)
    return OK


cdef void link_offer(DtlsLink* link, const u8* record, size_t size) noexcept nogil:
    link.input = record
    link.input_size = <u32>size
    link.muted = link.muting = False


cdef int link_resend(DtlsLink* link, SSL* ssl) noexcept nogil:
    cdef timeval left
    cdef long result
    if link.resends >= MAX_RESENDS:
        link.resend_us = LINK_NEVER_US
        return OK
    link_offer(link, NULL, 0)
    link.ticking = True
    ERR_clear_error()
    result = DTLSv1_handle_timeout(ssl)
    if result == 0 and DTLSv1_get_timeout(ssl, &left) and left.tv_sec == 0 and left.tv_usec <= TIMER_US:
        # Only in virtual time: less than 2 ms have really passed since the flight was sent.
        usleep(<unsigned int>(left.tv_usec - TIMER_SLACK_US + 100 if left.tv_usec > TIMER_SLACK_US else 100))
        result = DTLSv1_handle_timeout(ssl)
    link.ticking = False
    link.resends += 1
    link.sent_us = link.now
    link.timeout_us = min(2 * link.timeout_us, <us_t>TIMEOUT_MAX_US)
    link.resend_us = link.now + link.timeout_us
    return OK if result >= 0 else E_STATE


cdef int link_repeated(DtlsLink* link, SSL* ssl) noexcept nogil:
    if link.resend_us == LINK_NEVER_US or link.now - link.sent_us < RESEND_GAP_US:
        return OK
    return link_resend(link, ssl)
