"""SRTCP; the contract is in srtcp.pxd.

Replay windows are allocated with the first authenticated packet, so a sending context has none.
"""

from libc.stdlib cimport calloc
from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport get32, put32
from simplestchat._native.core.types cimport (
    E_AUTH, E_INTERNAL, E_LIMIT, E_MALFORMED, E_NOMEM, E_REPLAY, E_SHORT, E_SPACE, OK, u8, u32, u64,
)
from simplestchat._native.crypto.srtp_cipher cimport (
    GCM_TAG_SIZE, Clear, cm_crypt, cm_iv, cm_tag, cm_verify, gcm_iv, gcm_open, gcm_seal,
)
from simplestchat._native.crypto.srtp_context cimport SRTCP_WORDS, SRTP_PACKET_MAX, SrtcpSource, SrtpContext
from simplestchat._native.crypto.srtp_replay cimport replay_look, replay_seen
from simplestchat._native.crypto.taint cimport TAINT_RTCP_BIT, taint_on, taint_record

cdef enum:
    RTCP_HEADER_SIZE = 8             # what stays in the clear
    RTCP_SSRC_AT = 4
    INDEX_SIZE = 4                   # E bit and index
    ENCRYPTED = 0x80000000           # the E bit
    INDEX_MAX = 0x7FFFFFFF           # the key is used up behind it


cdef int srtcp_seal(SrtpContext* ctx, const u8* data, size_t size, u8* out, size_t cap) noexcept nogil:
    cdef size_t body = size - RTCP_HEADER_SIZE
    cdef u8 iv[16]
    cdef u8 word[INDEX_SIZE]
    cdef Clear clear
    cdef u32 index = ctx.srtcp_next
    if size < RTCP_HEADER_SIZE:
        return E_SHORT
    if size > SRTP_PACKET_MAX or size + ctx.tag_size + INDEX_SIZE > cap:
        return E_SPACE
    if index > INDEX_MAX:
        return E_LIMIT
    if taint_on:
        taint_record(ctx.key_id, get32(data + RTCP_SSRC_AT), <u64>1 << TAINT_RTCP_BIT | index, data, RTCP_HEADER_SIZE, NULL, 0,
                     data + RTCP_HEADER_SIZE, body)
    ctx.srtcp_next = index + 1       # an index is spent even if sealing fails
    put32(word, ENCRYPTED | index)
    if out != data:
        memcpy(out, data, RTCP_HEADER_SIZE)
    if ctx.gcm:
        gcm_iv(iv, ctx.rtcp.salt, get32(out + RTCP_SSRC_AT), index)
        clear.first = out
        clear.first_size = RTCP_HEADER_SIZE
        clear.second = word
        clear.second_size = INDEX_SIZE
        if gcm_seal(&ctx.rtcp, iv, &clear, data + RTCP_HEADER_SIZE, body, out + RTCP_HEADER_SIZE, out + size) != OK:
            return E_INTERNAL
        memcpy(out + size + GCM_TAG_SIZE, word, INDEX_SIZE)
    else:
        cm_iv(iv, ctx.rtcp.salt, get32(out + RTCP_SSRC_AT), index)
        if cm_crypt(&ctx.rtcp, iv, data + RTCP_HEADER_SIZE, body, out + RTCP_HEADER_SIZE) != OK:
            return E_INTERNAL
        memcpy(out + size, word, INDEX_SIZE)
        cm_tag(&ctx.rtcp, out, size + INDEX_SIZE, NULL, 0, out + size + INDEX_SIZE)
    return <int>(size + ctx.tag_size + INDEX_SIZE)


# `plain` is the size of the RTCP packet inside. A sender may leave a packet unencrypted (E bit 0): it is authenticated all the same.
cdef int _srtcp_open_gcm(SrtpContext* ctx, const u8* data, size_t plain, u8* out) noexcept nogil:
    cdef const u8* tag = data + plain
    cdef const u8* word = tag + GCM_TAG_SIZE
    cdef bint encrypted = (get32(word) & ENCRYPTED) != 0
    cdef u8 iv[16]
    cdef Clear clear
    cdef int result
    gcm_iv(iv, ctx.rtcp.salt, get32(data + RTCP_SSRC_AT), get32(word) & INDEX_MAX)
    clear.first = data
    clear.first_size = RTCP_HEADER_SIZE if encrypted else plain
    clear.second = word
    clear.second_size = INDEX_SIZE
    result = gcm_open(&ctx.rtcp, iv, &clear, data + clear.first_size, plain - clear.first_size, tag,
                      out + clear.first_size)
    if result == OK:
        memcpy(out, data, clear.first_size)
    return result


cdef int _srtcp_open_cm(SrtpContext* ctx, const u8* data, size_t plain, u8* out) noexcept nogil:
    cdef const u8* word = data + plain
    cdef u8 iv[16]
    if cm_verify(&ctx.rtcp, data, plain, word, INDEX_SIZE, word + INDEX_SIZE) != OK:
        return E_AUTH
    if not get32(word) & ENCRYPTED:
        memcpy(out, data, plain)
        return OK
    memcpy(out, data, RTCP_HEADER_SIZE)
    cm_iv(iv, ctx.rtcp.salt, get32(data + RTCP_SSRC_AT), get32(word) & INDEX_MAX)
    return cm_crypt(&ctx.rtcp, iv, data + RTCP_HEADER_SIZE, plain - RTCP_HEADER_SIZE, out + RTCP_HEADER_SIZE)


cdef SrtcpSource* _find(SrtpContext* ctx, u32 ssrc) noexcept nogil:
    cdef u32 i
    for i in range(ctx.source_count):
        if ctx.sources[i].ssrc == ssrc:
            return &ctx.sources[i]
    return NULL


# A place for a sender that has just been authenticated: a free one, or that of the one heard longest ago.
cdef SrtcpSource* _adopt(SrtpContext* ctx, u32 ssrc, u32 index) noexcept nogil:
    cdef SrtcpSource* source
    cdef int i
    if ctx.sources == NULL:
        ctx.sources = <SrtcpSource*>calloc(SRTCP_MAX_SOURCES, sizeof(SrtcpSource))
        if ctx.sources == NULL:
            return NULL
    if ctx.source_count < SRTCP_MAX_SOURCES:
        source = &ctx.sources[ctx.source_count]
        ctx.source_count += 1
    else:
        source = ctx.sources
        for i in range(1, SRTCP_MAX_SOURCES):
            if ctx.sources[i].used < source.used:
                source = &ctx.sources[i]
    memset(source, 0, sizeof(SrtcpSource))
    source.ssrc = ssrc
    source.highest = index
    return source


cdef int srtcp_open(SrtpContext* ctx, const u8* data, size_t size, u8* out, size_t cap) noexcept nogil:
    cdef size_t plain
    cdef u32 index
    cdef SrtcpSource* source
    cdef int result
    if size < RTCP_HEADER_SIZE + ctx.tag_size + INDEX_SIZE:
        return E_SHORT
    if size > SRTP_PACKET_MAX:
        return E_MALFORMED
    plain = size - ctx.tag_size - INDEX_SIZE
    if plain > cap:
        return E_SPACE
    index = get32(data + (size - INDEX_SIZE if ctx.gcm else plain)) & INDEX_MAX
    source = _find(ctx, get32(data + RTCP_SSRC_AT))
    if source != NULL and replay_look(source.window, SRTCP_WORDS, source.highest, index) != OK:
        return E_REPLAY
    result = _srtcp_open_gcm(ctx, data, plain, out) if ctx.gcm else _srtcp_open_cm(ctx, data, plain, out)
    if result != OK:
        return result
    if source == NULL:
        source = _adopt(ctx, get32(data + RTCP_SSRC_AT), index)
        if source == NULL:
            return E_NOMEM
    ctx.clock += 1
    source.used = ctx.clock
    source.highest = <u32>replay_seen(source.window, SRTCP_WORDS, source.highest, index)
    return <int>plain
