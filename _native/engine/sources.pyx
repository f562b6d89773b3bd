"""Which SSRCs arrive on a transport; see sources.pxd."""

from libc.stdlib cimport realloc
from libc.string cimport memcmp, memset, strlen

from simplestchat._native.core.table cimport Table64, table64_free, table64_get, table64_init, table64_put, table64_remove
from simplestchat._native.core.types cimport E_LIMIT, E_NOMEM, E_STATE, OK, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport SrtpRecvState, srtp_open
from simplestchat._native.engine.entities cimport (
    EXT_MID, EXT_REPAIRED_RID, EXT_RID, MAX_PIPE_SOURCES, MAX_SOURCES, Producer, ShardState, Source, Stream, Transport,
)
from simplestchat._native.engine.producer cimport producer_count_refusal, producer_store_plain
from simplestchat._native.wire.rtp cimport RtpExt, RtpView, rtp_ext_find


cdef enum:
    SOURCES_AT_FIRST = 4           # the last step is MAX_SOURCES, or that of a pipe


cdef Source* sources_find(Transport* t, u32 ssrc) noexcept nogil:
    cdef u64 at
    return &t.sources[at] if t.sources != NULL and table64_get(&t.source_by_ssrc, ssrc, &at) else NULL


cdef bint _grow(Transport* t) noexcept nogil:
    cdef u32 capacity = t.source_capacity * 4 if t.source_capacity else SOURCES_AT_FIRST
    cdef Table64 table
    cdef void* grown
    cdef u32 i
    if table64_init(&table, capacity, t.source_seed) != OK:
        return False
    grown = realloc(t.sources, capacity * sizeof(Source))
    if grown == NULL:
        table64_free(&table)
        return False
    t.sources = <Source*>grown
    t.source_capacity = capacity
    for i in range(t.source_count):
        table64_put(&table, t.sources[i].ssrc, i)
    table64_free(&t.source_by_ssrc)
    t.source_by_ssrc = table
    return True


cdef int _place(Transport* t) noexcept nogil:
    """A place in the table: unused, or that of an SSRC whose producer is gone. < 0 at the cap."""
    cdef u32 i
    cdef u32 most = MAX_PIPE_SOURCES if t.pipe else MAX_SOURCES
    if t.source_count == t.source_capacity and t.source_capacity < most and not _grow(t):
        return E_NOMEM
    if t.source_count < t.source_capacity:
        t.source_count += 1
        return t.source_count - 1
    for i in range(t.source_count):
        if t.sources[i].producer == NULL:
            table64_remove(&t.source_by_ssrc, t.sources[i].ssrc)
            return i
    return E_LIMIT


cdef int sources_add(Transport* t, u32 ssrc, Producer* p, u8 stream, bint repair) noexcept nogil:
    cdef Source* source = sources_find(t, ssrc)
    cdef int at
    cdef int status
    if t.pipe and ssrc <= t.newest_in:
        return E_STATE                     # it may have been used under these keys
    if source == NULL:
        at = _place(t)
        if at < 0:
            return at
        source = &t.sources[at]
        memset(source, 0, sizeof(Source))
        status = table64_put(&t.source_by_ssrc, ssrc, at)
        if status != OK:
            return status
    elif source.producer != NULL:
        return E_STATE
    source.ssrc = ssrc
    source.producer = p
    source.stream = stream
    source.repair = repair
    if t.pipe:
        t.newest_in = ssrc
    return OK


cdef void _forget(Transport* t, u32 at) noexcept nogil:
    """The last one moves into its place."""
    table64_remove(&t.source_by_ssrc, t.sources[at].ssrc)
    t.source_count -= 1
    if at != t.source_count:
        t.sources[at] = t.sources[t.source_count]
        table64_put(&t.source_by_ssrc, t.sources[at].ssrc, at)


cdef void sources_retire(Transport* t, const Producer* p) noexcept nogil:
    cdef u32 i = t.source_count
    while i:
        i -= 1
        if t.sources[i].producer == p:
            t.sources[i].producer = NULL
            if t.pipe:
                _forget(t, i)


cdef inline bint _says(const u8* data, const RtpView* view, u8 id, const char* text) noexcept nogil:
    """Does the packet carry this extension with exactly this text?"""
    cdef RtpExt ext
    return (id != 0 and rtp_ext_find(data, view, id, &ext) == 1
            and ext.size == strlen(text) and memcmp(data + ext.off, text, ext.size) == 0)


cdef bint _match(Producer* p, const u8* plain, const RtpView* view, u8* stream, bint* repair) noexcept nogil:
    """Which stream of this producer an authentic packet of an unknown SSRC belongs to."""
    cdef RtpExt ext
    cdef bint by_mid = p.mid_size != 0 and _says(plain, view, p.ext[EXT_MID], p.mid)
    cdef Stream* st
    cdef int i
    if p.mid_size and not by_mid and p.ext[EXT_MID] and rtp_ext_find(plain, view, p.ext[EXT_MID], &ext):
        return False                       # it names another producer
    for i in range(p.stream_count):
        st = &p.streams[i]
        stream[0] = <u8>i
        if st.rid[0]:
            repair[0] = _says(plain, view, p.ext[EXT_REPAIRED_RID], st.rid)
            if repair[0] or _says(plain, view, p.ext[EXT_RID], st.rid):
                return True
        elif by_mid and p.stream_count == 1:
            repair[0] = p.rtx_by_pt[view.payload_type] != 0
            return True
    return False


cdef bint _bind(Transport* t, Producer* p, u8 stream, bint repair, const RtpView* view, const SrtpRecvState* state) noexcept nogil:
    """Makes the SSRC that stream's, unless the stream has one."""
    cdef Stream* st = &p.streams[stream]
    if (st.rtx_ssrc if repair else st.ssrc) != 0:
        return False
    if sources_add(t, view.ssrc, p, stream, repair) != OK:
        return False
    sources_find(t, view.ssrc).srtp = state[0]
    if repair:
        st.rtx_ssrc = view.ssrc
    else:
        st.ssrc = view.ssrc
        st.stats.ssrc = view.ssrc
    return True


cdef bint sources_learn(ShardState* s, Transport* t, const u8* data, u32 size, const RtpView* view, us_t now) noexcept nogil:
    cdef SrtpRecvState state
    cdef u64 index
    cdef u8 stream = 0
    cdef bint repair = False
    cdef u32 i
    cdef int plain
    memset(&state, 0, sizeof(state))
    plain = srtp_open(t.recv_srtp, &state, data, size, view.header_size, s.scratch, sizeof(s.scratch), &index)
    if plain < 0:
        producer_count_refusal(s, t, plain)
        return False
    for i in range(t.producer_count):
        if _match(t.producers[i], s.scratch, view, &stream, &repair):
            if _bind(t, t.producers[i], stream, repair, view, &state):
                producer_store_plain(s, sources_find(t, view.ssrc), s.scratch, plain, index, now)
                return True
            break
    s.counters.dropped_unrouted += 1
    return True
