"""Connected transports without a handshake; see direct.pxd."""

from simplestchat._native.core.errors import InternalError
from simplestchat._native.core.table cimport tupletable_put
from simplestchat._native.core.types cimport OK, u64, us_t
from simplestchat._native.crypto.srtp cimport SRTP_AEAD_AES_128_GCM, SrtpContext, srtp_new
from simplestchat._native.engine.addresses cimport tuple_from_address
from simplestchat._native.engine.entities cimport TRANSPORT_CONNECTED, Transport
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.engine.timers cimport timers_set
from simplestchat._native.core.types cimport u8
from simplestchat._native.crypto.dtls cimport dtls_free
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.path cimport PATH_CONNECTED
from simplestchat._native.peer.swarm cimport Swarm
from simplestchat._native.peer.timers cimport peer_timers_set
from simplestchat._native.peer.tracks cimport tracks_start

cdef const u8* KEY = b"0123456789abcdef"
cdef const u8* SALT = b"salt-of-test"


cdef SrtpContext* direct_srtp() except NULL:
    cdef SrtpContext* ctx = srtp_new(SRTP_AEAD_AES_128_GCM, KEY, SALT)
    if ctx == NULL:
        raise InternalError("no SRTP context")
    return ctx


cdef int connect_directly(Shard shard, Transport* t, tuple address, us_t now) except -1:
    tuple_from_address(&t.pairs[0].tuple, address)
    t.pairs[0].used = t.pairs[0].proven = 1
    t.pairs[0].checked_us = t.checked_us = now
    t.selected = 0
    t.state = TRANSPORT_CONNECTED
    t.send_srtp = direct_srtp()
    t.recv_srtp = direct_srtp()
    timers_set(&shard.s.timers, t, now)
    if tupletable_put(&shard.s.by_tuple, &t.pairs[0].tuple, <u64>t) != OK:
        raise InternalError("no room for a tuple")
    return 0


cdef int connect_path_directly(Swarm swarm, Path* p, us_t now) except -1:
    dtls_free(p.dtls)
    p.dtls = NULL
    p.send_srtp = direct_srtp()
    p.recv_srtp = direct_srtp()
    p.state = PATH_CONNECTED
    p.consenting = 1
    p.first_answer_us = p.answered_us = p.report_us = now
    swarm.s.connected += 1
    tracks_start(p, now)
    peer_timers_set(&swarm.s.timers, p, now)
    return 0
