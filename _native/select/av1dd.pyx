"""Layers by dependency descriptors; see av1dd.pxd."""

from libc.string cimport memset
from simplestchat._native.core.seq cimport seq_diff
from simplestchat._native.core.types cimport i8, i32, u8, u16, u32, u64
from simplestchat._native.select.state cimport SELECT_FRAMES, SELECT_NO_TARGET, SELECT_PATIENCE, Selector, select_wait
from simplestchat._native.wire.av1dd cimport DdStructure
from simplestchat._native.wire.facts cimport FrameFacts

cdef extern from *:
    int __builtin_ctz(unsigned int) nogil
    int __builtin_ctzll(unsigned long long) nogil

cdef enum:
    _FORWARD = 1
    _END = 2
    _MASK = 4
    _AT = SELECT_FRAMES - 1
    # An entry of the ring: the decode target (SELECT_NO_TARGET: none), whether anything of the frame came, and was forwarded.
    _TARGET = 0x3F
    _KNOWN = 0x40
    _WENT = 0x80
    # What became of those that a frame refers to.
    _FORWARDED = 0
    _UNCERTAIN = 1
    _LEFT_OUT = 2


cdef inline bint _has(u32 targets, u8 target) noexcept nogil:
    return target < SELECT_NO_TARGET and targets >> target & 1


cdef inline int _rank(const DdStructure* dd, u8 target) noexcept nogil:
    return dd.target_spatial_id[target] * 8 + dd.target_temporal_id[target] if target < SELECT_NO_TARGET else -1


cdef u8 _best(const DdStructure* dd, u32 targets) noexcept nogil:
    """The highest of these decode targets: more of a picture is better than more pictures."""
    cdef u8 best = SELECT_NO_TARGET, target
    while targets:
        target = <u8> __builtin_ctz(targets)
        targets &= targets - 1
        if _rank(dd, target) > _rank(dd, best):
            best = target
    return best


cdef u32 _within(const DdStructure* dd, u32 active, int spatial, int temporal) noexcept nogil:
    """The active decode targets that have no higher layers than these."""
    cdef u32 found = 0
    cdef u8 target
    for target in range(dd.target_count):
        if dd.target_spatial_id[target] <= spatial and dd.target_temporal_id[target] <= temporal:
            found |= <u32> 1 << target
    return found & active


cdef u32 _whole(const DdStructure* dd, u32 active, u8 target) noexcept nogil:
    """The active decode targets whose frames are all in this one."""
    cdef u32 found = active
    cdef u32 i
    if target >= SELECT_NO_TARGET:
        return 0
    for i in range(dd.template_count):
        if not dd.templates[i].targets.present >> target & 1:
            found &= ~dd.templates[i].targets.present
    return found


cdef u32 _shape(const DdStructure* dd) noexcept nogil:
    """A digest of what the decode targets are: most streams bring the same structure with each keyframe."""
    cdef u32 digest = dd.target_count, i
    for i in range(dd.target_count):
        digest = digest * 31 + dd.target_spatial_id[i] * 8 + dd.target_temporal_id[i] + 1
    for i in range(dd.template_count):
        digest = digest * 31 + dd.templates[i].targets.present
    return digest


cdef void _take(Selector* s, const DdStructure* dd, u8 target) noexcept nogil:
    """This decode target is forwarded from here on."""
    s.target = target
    s.broken = 0
    s.mask = _whole(dd, s.active, target)
    s.spatial = <i8> dd.target_spatial_id[target] if target < SELECT_NO_TARGET else -1
    s.temporal = <i8> dd.target_temporal_id[target] if target < SELECT_NO_TARGET else -1


cdef void _set_goal(Selector* s, const FrameFacts* f, const DdStructure* dd) noexcept nogil:
    """Finds anew which decode target should be forwarded."""
    cdef u32 shape
    cdef u8 broken = s.broken
    if f.structure != s.structure or s.shape == 0:
        shape = _shape(dd) | 1
        s.structure = f.structure
        if shape != s.shape:
            s.target = SELECT_NO_TARGET
        s.shape = shape
    s.active = f.active
    s.allowed = _within(dd, s.active, s.target_spatial, s.target_temporal)
    s.goal = _best(dd, s.allowed)
    s.goal_spatial = <i8> dd.target_spatial_id[s.goal] if s.goal < SELECT_NO_TARGET else -1
    s.aimed = 0
    _take(s, dd, s.target if s.target_spatial >= 0 else <u8> SELECT_NO_TARGET)
    s.broken = broken


cdef int _references(const Selector* s, const FrameFacts* f) noexcept nogil:
    """Were the frames that this one refers to forwarded?"""
    cdef u64 left = f.refers
    cdef int found = _FORWARDED if f.refers_told else _UNCERTAIN
    cdef int back
    cdef u8 entry
    while left:
        back = __builtin_ctzll(left) + 1
        left &= left - 1
        if back >= SELECT_FRAMES:
            return _UNCERTAIN
        entry = s.ring.frames[(f.picture_id - back) & _AT]
        if not entry & _KNOWN:
            found = _UNCERTAIN
        elif not entry & _WENT:
            return _LEFT_OUT
    return found


cdef void _go_down(Selector* s, const DdStructure* dd) noexcept nogil:
    """At the beginning of a picture: what is whole already can be had by leaving out the rest."""
    cdef u32 whole = s.mask & s.allowed
    if whole == 0:
        whole = s.mask & _within(dd, s.active, s.spatial, s.target_temporal)     # fewer pictures at least
    if whole and not _has(whole, s.target):
        _take(s, dd, _best(dd, whole))


cdef void _switch(Selector* s, const FrameFacts* f, const DdStructure* dd, int references) noexcept nogil:
    """With a frame that can be switched to, if it brings the target nearer."""
    cdef u8 found = _best(dd, f.switches & s.allowed)
    if found == SELECT_NO_TARGET or references != _FORWARDED or s.ended:
        return
    if s.broken or not _has(s.allowed, s.target) or _rank(dd, found) > _rank(dd, s.target):
        _take(s, dd, found)


cdef void _new_picture(Selector* s) noexcept nogil:
    s.cap = s.target_spatial
    s.spatial_before = s.spatial_seen
    s.spatial_seen = s.ended = 0
    select_wait(s, s.target != s.goal)


cdef bint _decide(Selector* s, const FrameFacts* f, const DdStructure* dd) noexcept nogil:
    """Is the newest frame forwarded?"""
    cdef int references
    cdef bint begins = s.over or f.spatial_id <= s.spatial_seen
    s.over = 0
    if begins:
        _new_picture(s)
    if f.spatial_id > s.spatial_seen:
        s.spatial_seen = f.spatial_id
    if not f.known:              # its template came with a packet that was lost, and comes late
        return s.target_spatial >= 0
    if dd is not NULL and dd.template_count and dd.generation == f.structure:
        if (s.aimed and begins) or f.structure != s.structure or f.active != s.active:
            _set_goal(s, f, dd)
    else:
        dd = NULL
    references = _references(s, f)
    if dd is not NULL and (s.target != s.goal or s.broken):
        if begins:
            _go_down(s, dd)
        _switch(s, f, dd, references)
    if not _has(f.present, s.target):
        return False
    if references == _LEFT_OUT:
        s.broken = 1
        return False
    return True


cdef void _advance(Selector* s, const FrameFacts* f, i32 ahead) noexcept nogil:
    cdef i32 i, skipped = ahead if ahead < SELECT_FRAMES else <i32> SELECT_FRAMES
    s.newest = f.picture_id
    for i in range(1, skipped):
        s.ring.frames[(s.newest - i) & _AT] = s.target
    s.begun = 1


cdef inline bint _more_may_follow(const Selector* s, const FrameFacts* f) noexcept nogil:
    """May a higher layer begin in this very picture?"""
    return f.spatial_id < s.cap and s.target != s.goal and (
        (f.refers_told and f.refers == 0) or s.spatial_before <= f.spatial_id)


cdef int _forwarded(Selector* s, const FrameFacts* f, bint newest) noexcept nogil:
    """What is said of a packet that is forwarded."""
    cdef int verdict = _FORWARD
    if f.present and s.mask != f.active:
        verdict |= _MASK
    if not f.ends_frame or f.ends_picture or f.spatial_id != s.spatial or not f.known:
        return verdict
    if newest:
        if _more_may_follow(s, f):
            return verdict
        s.ended = 1
    return verdict | _END


cdef int _plain(Selector* s) noexcept nogil:
    """Without a descriptor nothing can be left out."""
    s.plain = 1
    s.spatial = s.temporal = 0 if s.target_spatial >= 0 else -1
    return _FORWARD if s.target_spatial >= 0 else 0


cdef int av1_packet(Selector* s, const FrameFacts* f, const DdStructure* dd) noexcept nogil:
    cdef i32 ahead = seq_diff(f.picture_id, s.newest) if s.begun else 1
    cdef u8* entry = &s.ring.frames[f.picture_id & _AT]
    cdef bint went
    if f.picture_bits == 0:
        return _plain(s)
    s.plain = 0
    if ahead > 0:
        _advance(s, f, ahead)
        went = _decide(s, f, dd)
        entry[0] = <u8> (s.target | _KNOWN | (_WENT if went else 0))
    elif ahead <= -<i32> SELECT_FRAMES:
        return 0
    elif not entry[0] & _KNOWN:
        went = _has(f.present, entry[0] & _TARGET) and _references(s, f) != _LEFT_OUT
        entry[0] |= <u8> (_KNOWN | (_WENT if went else 0))
    if f.ends_picture and ahead >= 0:
        s.over = 1
    return _forwarded(s, f, ahead >= 0) if entry[0] & _WENT else 0


cdef bint av1_wants_keyframe(const Selector* s) noexcept nogil:
    if s.plain:
        return s.target_spatial >= 0 and s.spatial < 0
    if s.target == SELECT_NO_TARGET or s.broken or s.waited >= SELECT_PATIENCE:
        return True
    return s.goal != SELECT_NO_TARGET and s.goal_spatial != s.spatial
