"""The SSRCs that arrive on a path; see sources.pxd."""

from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset

from simplestchat._native.core.table cimport (
    Table64, table64_free, table64_get, table64_init, table64_put, table64_remove,
)
from simplestchat._native.core.types cimport E_LIMIT, E_NOMEM, E_STATE, OK, u32, u64, u8, us_t
from simplestchat._native.peer.agent cimport path_random
from simplestchat._native.peer.entities cimport (
    MAX_PATH_SOURCES, MAX_PATH_STRANGERS, STRANGER_US, Path, PeerSource, Reception, Stranger,
)

cdef enum:
    FIRST_CAPACITY = 8


cdef int _grow(Path* p) noexcept nogil:
    """Room for more sources: both the list and the table by SSRC."""
    cdef u32 capacity = p.source_capacity * 2 if p.source_capacity else FIRST_CAPACITY
    cdef Table64 wider
    cdef void* grown = realloc(p.sources, capacity * sizeof(PeerSource*))
    cdef u32 i
    if grown == NULL:
        return E_NOMEM
    p.sources = <PeerSource**>grown
    memset(&wider, 0, sizeof(wider))
    if table64_init(&wider, capacity, path_random(p)) != OK:
        return E_NOMEM
    for i in range(p.source_count):
        table64_put(&wider, p.sources[i].ssrc, <u64>p.sources[i])
    table64_free(&p.source_by_ssrc)
    p.source_by_ssrc = wider
    p.source_capacity = capacity
    return OK


cdef PeerSource* _forget_oldest(Path* p) noexcept nogil:
    """The source that was retired first, taken out of the table; NULL when all are in use."""
    cdef PeerSource* oldest = NULL
    cdef u32 i
    for i in range(p.source_count):
        if p.sources[i].reception == NULL and (oldest == NULL or p.sources[i].retired_us < oldest.retired_us):
            oldest = p.sources[i]
    if oldest != NULL:
        table64_remove(&p.source_by_ssrc, oldest.ssrc)
        memset(oldest, 0, sizeof(PeerSource))
    return oldest


cdef PeerSource* _new(Path* p) noexcept nogil:
    cdef PeerSource* source
    if p.source_count >= MAX_PATH_SOURCES:
        return _forget_oldest(p)
    if p.source_count >= p.source_capacity and _grow(p) != OK:
        return NULL
    source = <PeerSource*>calloc(1, sizeof(PeerSource))
    if source != NULL:
        p.sources[p.source_count] = source
        p.source_count += 1
    return source


cdef Stranger* _stranger(const Path* p, u32 ssrc) noexcept nogil:
    cdef u32 i
    for i in range(p.stranger_count):
        if p.strangers[i].ssrc == ssrc:
            return &p.strangers[i]
    return NULL


cdef void _acquaint(Path* p, u32 ssrc) noexcept nogil:
    """Somebody asks for it: it is no stranger."""
    cdef Stranger* known = _stranger(p, ssrc)
    if known != NULL:
        p.stranger_count -= 1
        known[0] = p.strangers[p.stranger_count]


cdef Stranger* _new_stranger(Path* p) noexcept nogil:
    """A place for one more, NULL without one."""
    if p.strangers == NULL:
        p.strangers = <Stranger*>malloc(MAX_PATH_STRANGERS * sizeof(Stranger))
    if p.strangers == NULL or p.stranger_count >= MAX_PATH_STRANGERS:
        return NULL
    p.stranger_count += 1
    return &p.strangers[p.stranger_count - 1]


cdef void source_strange(Path* p, u32 ssrc, us_t now) noexcept nogil:
    cdef Stranger* known
    sources_judge(p, now)
    known = _stranger(p, ssrc)
    if known == NULL:
        known = _new_stranger(p)
        if known == NULL:
            return
        memset(known, 0, sizeof(Stranger))
        known.ssrc = ssrc
        known.first_us = now
    if known.judged:
        p.totals.misdelivered += 1
    else:
        known.packets += 1


cdef void sources_judge(Path* p, us_t now) noexcept nogil:
    cdef Stranger* one
    cdef u32 i
    for i in range(p.stranger_count):
        one = &p.strangers[i]
        if not one.judged and now - one.first_us >= STRANGER_US:
            one.judged = 1
            p.totals.misdelivered += one.packets


cdef int source_add(Path* p, u32 ssrc, bint repair, u8 codec, Reception* reception) noexcept nogil:
    cdef PeerSource* source = source_find(p, ssrc)
    if source != NULL and source.reception != NULL:
        return E_STATE
    if source == NULL:
        source = _new(p)
        if source == NULL:
            return E_LIMIT if p.source_count >= MAX_PATH_SOURCES else E_NOMEM
        source.ssrc = ssrc
        table64_put(&p.source_by_ssrc, ssrc, <u64>source)
    _acquaint(p, ssrc)
    source.reception = reception
    source.repair = repair
    source.codec = codec
    return OK


cdef PeerSource* source_find(const Path* p, u32 ssrc) noexcept nogil:
    cdef u64 value
    if p.source_count == 0 or not table64_get(&p.source_by_ssrc, ssrc, &value):
        return NULL
    return <PeerSource*>value


cdef void source_retire(Path* p, u32 ssrc, const Reception* reception, us_t now) noexcept nogil:
    cdef PeerSource* source = source_find(p, ssrc)
    if source != NULL and source.reception == reception:
        source.reception = NULL
        source.retired_us = now


cdef void sources_free(Path* p) noexcept nogil:
    cdef u32 i
    for i in range(p.source_count):
        free(p.sources[i])
    free(p.sources)
    free(p.strangers)
    p.strangers = NULL
    p.stranger_count = 0
    p.sources = NULL
    p.source_count = p.source_capacity = 0
    table64_free(&p.source_by_ssrc)
