"""The path between two workers; the rules are in pipe.pxd."""

from simplestchat._native.core.table cimport tupletable_get, tupletable_put
from simplestchat._native.core.types cimport OK, Tuple, i16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SRTP_AEAD_AES_128_GCM, srtp_key_size, srtp_new
from simplestchat._native.engine.addresses cimport tuple_from_address
from simplestchat._native.engine.consumer cimport consumer_free
from simplestchat._native.engine.entities cimport (
    EXT_AUDIO_LEVEL, EXT_DEPENDENCY, EXT_VIDEO_ORIENTATION, NEVER_US, TRANSPORT_CONNECTED, Consumer, Producer, ShardState, Transport,
)
from simplestchat._native.engine.ice cimport ice_forget
from simplestchat._native.engine.parameters cimport new_consumer
from simplestchat._native.engine.timers cimport timers_set
from simplestchat._native.engine.transport cimport transport_free, transport_new

from simplestchat._native.core.errors import LIMIT, InternalError, MisuseError

cdef enum:
    # Far enough: a pipe needs no consent, and nobody takes over its pair of addresses.
    ALWAYS_US = NEVER_US // 2


cdef int _open(ShardState* s, Transport* t, const Tuple* tuple, bytes send_key, bytes recv_key, us_t now) except -1:
    cdef u32 key_size = srtp_key_size(SRTP_AEAD_AES_128_GCM)
    cdef const u8* sending = send_key
    cdef const u8* receiving = recv_key
    ice_forget(s, t)                       # nobody is to check it
    t.pipe = 1
    t.connect_called = 1
    s.pipe_count += 1
    t.send_srtp = srtp_new(SRTP_AEAD_AES_128_GCM, sending, sending + key_size)
    t.recv_srtp = srtp_new(SRTP_AEAD_AES_128_GCM, receiving, receiving + key_size)
    if t.send_srtp == NULL or t.recv_srtp == NULL or tupletable_put(&s.by_tuple, tuple, <u64>t) != OK:
        raise InternalError("no memory for a pipe")
    t.pairs[0].tuple = tuple[0]
    t.pairs[0].used = t.pairs[0].proven = 1
    t.pairs[0].checked_us = t.checked_us = ALWAYS_US
    t.selected = 0
    t.state = TRANSPORT_CONNECTED
    t.rtcp_us = now
    timers_set(&s.timers, t, now)
    return 0


cdef Transport* make_pipe(ShardState* s, u32 id, tuple address, bytes send_key, bytes recv_key, us_t now) except NULL:
    cdef Tuple addresses
    cdef Transport* t
    cdef u64 owner
    if len(send_key) != PIPE_KEY_SIZE or len(recv_key) != PIPE_KEY_SIZE or send_key == recv_key:
        raise MisuseError(f"a pipe has two different keys of {PIPE_KEY_SIZE} bytes")
    try:
        tuple_from_address(&addresses, address)
    except (ValueError, OverflowError) as problem:
        raise MisuseError(f"a pipe's addresses: {problem}") from None
    if tupletable_get(&s.by_tuple, &addresses, &owner):
        raise MisuseError("another transport has this pair of addresses")
    t = transport_new(s, id, now)
    if t == NULL:
        raise MisuseError("this worker takes no more transports", LIMIT)
    try:
        _open(s, t, &addresses, send_key, recv_key, now)
    except BaseException:
        transport_free(s, t)
        raise
    return t


cdef Consumer* _consumer(ShardState* s, Transport* t, Producer* p, u8 stream, u32 id, u32 ssrc, u32 rtx_ssrc) except NULL:
    cdef Consumer* c
    cdef int i
    if ssrc <= t.newest_out or (rtx_ssrc and rtx_ssrc <= ssrc):
        raise MisuseError(f"SSRC {ssrc} is not greater than those before on pipe {t.id}")
    c = new_consumer(s, t, p, id, ssrc, rtx_ssrc)
    t.newest_out = rtx_ssrc or ssrc
    c.stream = c.preferred = stream
    c.ext[EXT_AUDIO_LEVEL] = p.ext[EXT_AUDIO_LEVEL]
    c.ext[EXT_VIDEO_ORIENTATION] = p.ext[EXT_VIDEO_ORIENTATION]
    c.ext[EXT_DEPENDENCY] = p.ext[EXT_DEPENDENCY]
    for i in range(p.codec_count):
        c.pt_by_codec[i] = p.codecs[i].payload_type
        c.rtx_pt_by_codec[i] = p.codecs[i].rtx_payload_type if rtx_ssrc else <i16>-1
    return c


cdef void _serve_first(Producer* p, Consumer* c) noexcept:
    """Before those who live here: what another worker does with a packet is done while this one goes on."""
    cdef u32 at = 0
    cdef Consumer* other
    while p.consumers[at].pipe and at < c.in_producer:
        at += 1
    other = p.consumers[at]
    p.consumers[c.in_producer] = other
    other.in_producer = c.in_producer
    p.consumers[at] = c
    c.in_producer = at


cdef list make_pipe_consumers(ShardState* s, Transport* t, Producer* p, list rows):
    cdef Consumer* c
    cdef u8 stream
    if not t.pipe or p.transport.pipe:
        raise MisuseError(f"transport {t.id} is no pipe, or producer {p.id} came by one itself")
    if len(rows) != p.stream_count:
        raise MisuseError(f"producer {p.id} has {p.stream_count} encodings, not {len(rows)}")
    made = []
    try:
        for stream, (id, ssrc, rtx_ssrc) in enumerate(rows):
            c = _consumer(s, t, p, stream, id, ssrc, rtx_ssrc)
            _serve_first(p, c)
            made.append(<size_t>c)
    except BaseException:
        for address in made:
            consumer_free(s, <Consumer*><size_t>address)
        raise
    return made
