"""DTLS over libssl; the contract is in dtls.pxd.

Input: a datagram is cut into records. Handshake records of epoch 0 go through dtls_inbound; alerts and data of epoch 0 are dropped,
because anyone can write them; a ChangeCipherSpec or an encrypted Finished that came too early waits for its turn. So
libssl gets one record at a time, and only ones that take the handshake further. dtls_link carries records and keeps the schedule.

libssl's part is made with the handshake's first step and freed with its last one: what is needed afterwards is in dtls_rest.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from simplestchat._native.core.bytes cimport get16
from simplestchat._native.core.types cimport (
    E_AUTH, E_INTERNAL, E_MALFORMED, E_REPLAY, E_STATE, E_UNSUPPORTED, OK, u8, u16, u32, us_t,
)
from simplestchat._native.crypto.dtls_context cimport DtlsContext, Expected, expected_matches, expected_set
from simplestchat._native.crypto.dtls_inbound cimport (
    DTLS_RECORD_HEADER, Inbound, RECORD_ALERT, RECORD_CCS, RECORD_HANDSHAKE, inbound_free, inbound_header, inbound_init, inbound_next,
    inbound_pop, inbound_record,
)
from simplestchat._native.crypto.dtls_link cimport DtlsLink, link_attach, link_offer, link_repeated, link_resend
from simplestchat._native.crypto.dtls_outbound cimport outbound_free, outbound_put, outbound_take
from simplestchat._native.crypto.dtls_rest cimport (
    REST_MAX_PLAIN, REST_MAX_RECORD, DtlsRest, rest_init, rest_open, rest_repeat, rest_seal, rest_wipe,
)
from simplestchat._native.crypto.library cimport library_enter, library_leave
from simplestchat._native.crypto.openssl cimport (
    ERR_clear_error, OPENSSL_cleanse, OSSL_LIB_CTX, SRTP_PROTECTION_PROFILE, SSL, SSL_do_handshake, SSL_ERROR_WANT_READ,
    SSL_export_keying_material, SSL_free, SSL_get1_peer_certificate, SSL_get_error, SSL_get_selected_srtp_profile,
    SSL_get_state, SSL_new, SSL_set_accept_state, SSL_set_app_data, SSL_set_connect_state, TLS_ST_CR_CHANGE,
    TLS_ST_CW_FINISHED, TLS_ST_SR_CERT_VRFY, TLS_ST_SR_CHANGE, X509, X509_free,
)
from simplestchat._native.crypto.srtp cimport srtp_key_size, srtp_salt_size

cdef enum:
    HELD_MAX = 256                   # a Finished that came early; it has about 60 bytes
    PROFILE_KEYS_MAX = 2 * (32 + 14)
    ALERT_SIZE = 2
    WARNING = 1
    FATAL = 2
    CLOSE_NOTIFY = 0
    REPEAT_GAP_US = 40000            # between repeats of the last flight
    MAX_REPEATS = 10
    MAX_RECORDS = 64                 # of one datagram; handshake flights cut into small pieces have some 40

cdef const char* EXPORTER = b"EXTRACTOR-dtls_srtp"

cdef struct Dtls:
    DtlsContext* ctx
    SSL* ssl                         # only while the handshake lasts
    DtlsLink link
    Inbound inbound
    DtlsRest rest                    # from then on
    SrtpKeys keys
    X509* peer                       # its certificate, while no fingerprint is announced
    us_t fail_us                     # when the handshake has taken too long
    us_t repeated_us                 # when the last flight was sent
    u32 steps                        # of libssl
    u8 role
    u8 state
    u8 finished                      # libssl's handshake is over
    u8 repeats                       # of the last flight
    u8 ccs                           # a ChangeCipherSpec waits
    u8 held_size
    u8 held[HELD_MAX]                # an encrypted handshake record that came before its keys
    Expected expected                # the announced fingerprint


cdef Dtls* dtls_new(DtlsContext* ctx, int role) noexcept nogil:
    cdef Dtls* dtls = <Dtls*>calloc(1, sizeof(Dtls))
    if dtls == NULL:
        return NULL
    dtls.ctx = ctx
    dtls.role = role
    dtls.fail_us = dtls.link.resend_us = DTLS_NO_DEADLINE
    inbound_init(&dtls.inbound, role == DTLS_SERVER)
    return dtls


cdef bint _open(Dtls* dtls) noexcept nogil:
    ERR_clear_error()
    dtls.ssl = SSL_new(dtls.ctx.ssl)
    if dtls.ssl == NULL or link_attach(&dtls.link, dtls.ssl, DTLS_MAX_DATAGRAM) != OK:
        return False
    SSL_set_app_data(dtls.ssl, &dtls.expected)
    if dtls.role == DTLS_SERVER:
        SSL_set_accept_state(dtls.ssl)
    else:
        SSL_set_connect_state(dtls.ssl)
    return True


cdef void _release(Dtls* dtls) noexcept nogil:
    """libssl's part, and what came for it."""
    SSL_free(dtls.ssl)
    dtls.ssl = NULL
    dtls.link.resend_us = DTLS_NO_DEADLINE
    dtls.ccs = 0
    dtls.held_size = 0
    inbound_free(&dtls.inbound)


cdef void dtls_free(Dtls* dtls) noexcept nogil:
    if dtls == NULL:
        return
    _release(dtls)
    X509_free(dtls.peer)
    outbound_free(&dtls.link.out)
    OPENSSL_cleanse(&dtls.keys, sizeof(dtls.keys))
    rest_wipe(&dtls.rest)
    free(dtls)


cdef void _end(Dtls* dtls, int state) noexcept nogil:
    dtls.state = state
    dtls.fail_us = DTLS_NO_DEADLINE
    if state != DTLS_CONNECTED:
        OPENSSL_cleanse(&dtls.keys, sizeof(dtls.keys))
    _release(dtls)


# The handshake is over: connected if the certificate is the announced one, else failed. Undecided while none is announced.
cdef void _judge(Dtls* dtls) noexcept nogil:
    if dtls.expected.size:
        _end(dtls, DTLS_CONNECTED if dtls.expected.met or expected_matches(&dtls.expected, dtls.peer) else DTLS_FAILED)
        X509_free(dtls.peer)
        dtls.peer = NULL


cdef int dtls_set_fingerprint(Dtls* dtls, int hash, const u8* digest, size_t size) noexcept nogil:
    cdef int status
    if dtls.state != DTLS_NEW and dtls.state != DTLS_CONNECTING:
        return E_STATE
    status = expected_set(&dtls.expected, hash, digest, size)
    if status != OK:
        return status
    if dtls.finished:
        _judge(dtls)
    return OK


cdef bint _export(Dtls* dtls) noexcept nogil:
    """The SRTP keys (RFC 5764 section 4.2): the client's key, the server's, the client's salt, the server's."""
    cdef u8 block[PROFILE_KEYS_MAX]
    cdef SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(dtls.ssl)
    cdef SrtpKeys* keys = &dtls.keys
    cdef int key, salt
    cdef bint client = dtls.role == DTLS_CLIENT
    if profile == NULL or srtp_key_size(<int>profile.id) == 0:
        return False
    keys.suite = <int>profile.id
    key = srtp_key_size(keys.suite)
    salt = srtp_salt_size(keys.suite)
    if SSL_export_keying_material(dtls.ssl, block, 2 * (key + salt), EXPORTER, 19, NULL, 0, 0) != 1:
        return False
    memcpy(keys.send_key, block + (0 if client else key), key)
    memcpy(keys.recv_key, block + (key if client else 0), key)
    memcpy(keys.send_salt, block + 2 * key + (0 if client else salt), salt)
    memcpy(keys.recv_salt, block + 2 * key + (salt if client else 0), salt)
    OPENSSL_cleanse(block, sizeof(block))
    return True


# libssl's handshake is over: takes from it what is needed from now on.
cdef void _finish(Dtls* dtls) noexcept nogil:
    cdef DtlsLink* link = &dtls.link
    dtls.finished = True
    dtls.repeated_us = link.now
    dtls.peer = SSL_get1_peer_certificate(dtls.ssl)
    if not _export(dtls) or rest_init(&dtls.rest, dtls.ssl, dtls.role == DTLS_CLIENT, link.next_numbers, link.next_nonce,
                                      link.out.bytes + link.out.pos, link.out.size - link.out.pos) != OK:
        _end(dtls, DTLS_FAILED)
        return
    _release(dtls)
    _judge(dtls)


# Lets libssl work, on one record or (NULL) on its own.
cdef void _drive(Dtls* dtls, const u8* record, size_t size) noexcept nogil:
    cdef OSSL_LIB_CTX* before
    cdef int result
    link_offer(&dtls.link, record, size)
    ERR_clear_error()
    dtls.steps += 1
    before = library_enter()
    result = SSL_do_handshake(dtls.ssl)
    library_leave(before)
    if result == 1:
        _finish(dtls)
    elif SSL_get_error(dtls.ssl, result) != SSL_ERROR_WANT_READ:
        _end(dtls, DTLS_FAILED)
    link_offer(&dtls.link, NULL, 0)


# Whether ChangeCipherSpec comes next: a server waits for it behind CertificateVerify, a client behind its own Finished.
cdef bint _awaits_ccs(const Dtls* dtls) noexcept nogil:
    return dtls.ssl != NULL and <int>SSL_get_state(dtls.ssl) == (TLS_ST_SR_CERT_VRFY if dtls.role == DTLS_SERVER else TLS_ST_CW_FINISHED)


cdef bint _awaits_finished(const Dtls* dtls) noexcept nogil:
    return dtls.ssl != NULL and <int>SSL_get_state(dtls.ssl) == (TLS_ST_SR_CHANGE if dtls.role == DTLS_SERVER else TLS_ST_CR_CHANGE)


# Hands over what has become next in sequence: messages, then a ChangeCipherSpec, then a Finished.
cdef void _deliver(Dtls* dtls) noexcept nogil:
    cdef u8 ccs[DTLS_RECORD_HEADER + 1]
    cdef size_t size = 0
    cdef const u8* record = inbound_next(&dtls.inbound, &size)
    while record != NULL and dtls.ssl != NULL:
        _drive(dtls, record, size)
        if dtls.ssl == NULL:
            return
        inbound_pop(&dtls.inbound)
        record = inbound_next(&dtls.inbound, &size)
    if dtls.ccs and _awaits_ccs(dtls):
        dtls.ccs = 0
        inbound_header(&dtls.inbound, ccs, RECORD_CCS, 1)
        ccs[DTLS_RECORD_HEADER] = 1
        _drive(dtls, ccs, sizeof(ccs))
    if dtls.held_size and _awaits_finished(dtls):
        size = dtls.held_size
        dtls.held_size = 0
        _drive(dtls, dtls.held, size)


cdef void _sent_again(Dtls* dtls, int result) noexcept nogil:
    if result != OK:
        _end(dtls, DTLS_FAILED)


# A handshake record of epoch 0 that is not for the past.
cdef int _plain_handshake(Dtls* dtls, const u8* body, size_t size) noexcept nogil:
    cdef int result = inbound_record(&dtls.inbound, body, size)
    if result == E_REPLAY:
        _sent_again(dtls, link_repeated(&dtls.link, dtls.ssl))
    elif result == OK:
        if dtls.fail_us == DTLS_NO_DEADLINE:
            dtls.fail_us = dtls.link.now + DTLS_HANDSHAKE_TIMEOUT_US
        _deliver(dtls)
    return result


cdef void _put_sealed(Dtls* dtls, u8 type, const u8* plain, u32 plain_size) noexcept nogil:
    cdef u8 record[REST_MAX_RECORD]
    cdef int size = rest_seal(&dtls.rest, type, plain, plain_size, record)
    if size > 0:
        outbound_put(&dtls.link.out, record, size)


# The peer repeats its last flight, so ours was lost: repeats it, but not too often.
cdef void _repeat(Dtls* dtls) noexcept nogil:
    cdef u8 flight[2 * REST_MAX_RECORD]
    cdef int size
    if dtls.repeats >= MAX_REPEATS or dtls.link.now - dtls.repeated_us < REPEAT_GAP_US:
        return
    dtls.repeats += 1
    dtls.repeated_us = dtls.link.now
    size = rest_repeat(&dtls.rest, flight)
    if size > 0:
        outbound_put(&dtls.link.out, flight, size)


# A record after the handshake: the peer's last message again, or an alert. Data has no use here.
cdef int _sealed(Dtls* dtls, const u8* record, size_t size) noexcept nogil:
    cdef u8 plain[REST_MAX_PLAIN]
    cdef int length
    if record[0] != RECORD_HANDSHAKE and record[0] != RECORD_ALERT:
        return E_UNSUPPORTED
    length = rest_open(&dtls.rest, record, <u32>size, plain)
    if length < 0:
        return length
    if record[0] == RECORD_HANDSHAKE:
        _repeat(dtls)
    elif length == ALERT_SIZE and (plain[0] == FATAL or plain[1] == CLOSE_NOTIFY):
        _end(dtls, DTLS_CLOSED if dtls.state == DTLS_CONNECTED else DTLS_FAILED)
    return OK


cdef int _record(Dtls* dtls, const u8* record, size_t size) noexcept nogil:
    cdef const u8* body = record + DTLS_RECORD_HEADER
    cdef u16 epoch = get16(record + 3)
    if record[1] != 0xFE or (record[2] != 0xFD and record[2] != 0xFF):
        return E_MALFORMED
    if epoch == 0:
        if dtls.finished:
            return E_REPLAY
        if record[0] == RECORD_HANDSHAKE:
            return _plain_handshake(dtls, body, size - DTLS_RECORD_HEADER)
        if record[0] == RECORD_CCS and size == DTLS_RECORD_HEADER + 1 and body[0] == 1:
            dtls.ccs = 1
            _deliver(dtls)
            return OK
        return E_AUTH
    if epoch != 1:
        return E_AUTH
    if dtls.finished:
        return _sealed(dtls, record, size)
    if record[0] != RECORD_HANDSHAKE or size > HELD_MAX - 1:
        return E_UNSUPPORTED
    dtls.held_size = <u8>size
    memcpy(dtls.held, record, size)
    _deliver(dtls)
    return OK


cdef int dtls_start(Dtls* dtls, us_t now) noexcept nogil:
    if dtls.state != DTLS_NEW:
        return E_STATE
    dtls.link.now = now
    if not _open(dtls):
        _end(dtls, DTLS_FAILED)
        return E_INTERNAL
    dtls.state = DTLS_CONNECTING
    if dtls.role == DTLS_CLIENT:
        dtls.fail_us = now + DTLS_HANDSHAKE_TIMEOUT_US
        _drive(dtls, NULL, 0)
    return OK if dtls.state == DTLS_CONNECTING else E_INTERNAL


cdef int dtls_feed(Dtls* dtls, const u8* data, size_t size, us_t now) noexcept nogil:
    cdef size_t pos = 0
    cdef size_t record
    cdef int result = E_MALFORMED
    cdef int one
    cdef int left = MAX_RECORDS
    if dtls.state != DTLS_CONNECTING and dtls.state != DTLS_CONNECTED:
        return E_STATE
    dtls.link.now = now
    while size - pos >= DTLS_RECORD_HEADER and left:
        left -= 1
        record = DTLS_RECORD_HEADER + get16(data + pos + 11)
        if record > size - pos:
            break
        one = _record(dtls, data + pos, record)
        if result != OK:
            result = one
        if dtls.state != DTLS_CONNECTING and dtls.state != DTLS_CONNECTED:
            break
        pos += record
    return result


cdef int dtls_drain(Dtls* dtls, u8* out, size_t cap) noexcept nogil:
    return outbound_take(&dtls.link.out, out, <u32>min(cap, <size_t>DTLS_MAX_DATAGRAM))


cdef us_t dtls_deadline(const Dtls* dtls) noexcept nogil:
    return min(dtls.link.resend_us, dtls.fail_us)


cdef void dtls_tick(Dtls* dtls, us_t now) noexcept nogil:
    dtls.link.now = now
    if dtls.state != DTLS_CONNECTING:
        return
    if now >= dtls.fail_us:
        _end(dtls, DTLS_FAILED)
    elif now >= dtls.link.resend_us:
        _sent_again(dtls, link_resend(&dtls.link, dtls.ssl))


cdef int dtls_state(const Dtls* dtls) noexcept nogil:
    return dtls.state


cdef u32 dtls_steps(const Dtls* dtls) noexcept nogil:
    return dtls.steps


cdef bint dtls_is_open(const Dtls* dtls) noexcept nogil:
    return dtls.ssl != NULL


cdef int dtls_keys(const Dtls* dtls, SrtpKeys* out) noexcept nogil:
    if dtls.state != DTLS_CONNECTED:
        return E_STATE
    out[0] = dtls.keys
    return OK


cdef void dtls_close(Dtls* dtls) noexcept nogil:
    cdef u8[ALERT_SIZE] goodbye = [WARNING, CLOSE_NOTIFY]
    if dtls.state == DTLS_CLOSED or dtls.state == DTLS_FAILED:
        return
    if dtls.finished:
        _put_sealed(dtls, RECORD_ALERT, goodbye, ALERT_SIZE)
    _end(dtls, DTLS_CLOSED)
