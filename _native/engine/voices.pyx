"""Who speaks in a room; see voices.pxd."""

from libc.stdlib cimport calloc, free, realloc

from simplestchat._native.core.types cimport u8, u32, us_t
from simplestchat._native.engine.consumer cimport consumer_restart
from simplestchat._native.engine.entities cimport EVENT_SPEAKER, MAX_GROUPS, NEVER_US, Group, Producer, ShardState
from simplestchat._native.engine.events cimport event_put
from simplestchat._native.select.speakers cimport (
    SPEAKERS_HEARD, speaker_heard, speaker_join, speaker_leave, speakers_limit, speakers_tick,
)

from simplestchat._native.core.errors import LIMIT, InternalError, MisuseError


cdef Group* _find(ShardState* s, u32 id) noexcept nogil:
    cdef u32 i
    for i in range(s.group_count):
        if s.groups[i].id == id:
            return s.groups[i]
    return NULL


cdef Group* _group(ShardState* s, u32 id, us_t now) except NULL:
    cdef Group* group = _find(s, id)
    cdef void* grown
    if group != NULL:
        return group
    if s.group_count >= MAX_GROUPS:
        raise MisuseError(f"this worker has {s.group_count} groups of speakers and takes no more", LIMIT)
    grown = realloc(s.groups, (s.group_count + 1) * sizeof(Group*))
    group = <Group*>calloc(1, sizeof(Group))
    if grown != NULL:
        s.groups = <Group**>grown
    if grown == NULL or group == NULL:
        free(group)
        raise InternalError("no memory for a group of speakers")
    group.id = id
    s.groups[s.group_count] = group
    s.group_count += 1
    s.groups_us = min(s.groups_us, now + VOICES_US)
    return group


cdef void _drop_empty(ShardState* s, const Group* group) noexcept nogil:
    cdef u32 i
    if group.speakers.members or group.speakers.limit:
        return
    for i in range(s.group_count):
        if s.groups[i] == group:
            free(s.groups[i])
            s.group_count -= 1
            s.groups[i] = s.groups[s.group_count]
            return


cdef int voices_join(ShardState* s, Producer* p, u32 group, us_t now) except -1:
    p.group = _group(s, group, now)
    speaker_join(&p.group.speakers, &p.speaker, p.id, now)
    return 0


cdef int voices_limit(ShardState* s, u32 group, int limit, us_t now) except -1:
    cdef Group* found
    if group == 0 or not 0 <= limit <= SPEAKERS_HEARD:
        raise MisuseError(f"of group {group} 0 to {SPEAKERS_HEARD} voices can be heard, not {limit}")
    if limit == 0 and _find(s, group) == NULL:
        return 0
    found = _group(s, group, now)
    speakers_limit(&found.speakers, <u8>limit)
    _drop_empty(s, found)
    return 0


cdef void voices_leave(ShardState* s, Producer* p) noexcept nogil:
    cdef Group* group = p.group
    if group != NULL:
        speaker_leave(&p.speaker)
        p.group = NULL
        _drop_empty(s, group)


cdef void voices_listen(Producer* p) noexcept nogil:
    cdef bint muffled = p.group != NULL and not speaker_heard(&p.speaker)
    cdef u32 i
    if p.muffled and not muffled:
        for i in range(p.consumer_count):
            if not p.consumers[i].pipe:
                consumer_restart(p.consumers[i])
    p.muffled = muffled


cdef void _tell(ShardState* s, Group* group) noexcept nogil:
    cdef u32 dominant = group.speakers.dominant.id if group.speakers.dominant != NULL else 0
    if dominant != group.dominant:
        group.dominant = dominant
        event_put(s, EVENT_SPEAKER, 0, dominant, group.id)


cdef void voices_tick(ShardState* s, us_t now) noexcept nogil:
    cdef u32 i
    if now < s.groups_us:
        return
    for i in range(s.group_count):
        speakers_tick(&s.groups[i].speakers, now)
        _tell(s, s.groups[i])
    s.groups_us = now + VOICES_US if s.group_count else NEVER_US


cdef void voices_free(ShardState* s) noexcept nogil:
    cdef u32 i
    for i in range(s.group_count):
        free(s.groups[i])
    free(s.groups)
    s.groups = NULL
    s.group_count = 0
