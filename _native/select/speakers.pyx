"""STUB"""
from simplestchat._native.core.types cimport u8, u32, us_t
cdef void speaker_join(SpeakerGroup* g, Speaker* s, u32 id, us_t now) noexcept nogil:
    s.group = g
    g.members += 1
cdef void speaker_leave(Speaker* s) noexcept nogil:
    s.group.members -= 1
cdef void speaker_level(Speaker* s, u8 level, us_t now) noexcept nogil:
    pass
cdef bint speakers_tick(SpeakerGroup* g, us_t now) noexcept nogil:
    return False
cdef void speakers_limit(SpeakerGroup* g, u8 limit) noexcept nogil:
    g.limit = 0
