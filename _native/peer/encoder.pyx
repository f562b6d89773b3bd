"""Models of encoders; see encoder.pxd for the contract."""

from libc.math cimport M_PI, cos, exp, log, sqrt
from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.types cimport US_PER_MS, u8, u16, u32, u64, us_t

cdef enum:
    _AUDIO_FRAMES_PER_S = 50
    _NEVER = 0x7FFFFFFFFFFFFFFF
    _LONGEST = 20                # means: no spurt lasts longer

cdef double _VIDEO_SPREAD = 0.25     # standard deviation of the logarithm
cdef double _AUDIO_SPREAD = 0.15
cdef double _LEAST = 0.25            # of the mean: what a frame shrinks to, to pay a debt


# In (0, 1].
cdef inline double _uniform(u64* random) noexcept nogil:
    return <double> ((splitmix(random) >> 11) + 1) / 9007199254740992.0


# Log-normal with mean 1 (Box and Muller's transform of two uniform numbers).
cdef inline double _factor(u64* random, double spread) noexcept nogil:
    cdef double radius = sqrt(-2.0 * log(_uniform(random)))
    return exp(spread * radius * cos(2.0 * M_PI * _uniform(random)) - spread * spread / 2.0)


cdef void video_model_init(VideoModel* m, u64 seed, u32 bitrate_bps, u16 fps) noexcept nogil:
    m.random = seed
    m.debt = 0
    video_model_rate(m, bitrate_bps, fps)
    m.payback = fps / 2.0 if fps > 2 else 1.0


cdef void video_model_rate(VideoModel* m, u32 bitrate_bps, u16 fps) noexcept nogil:
    m.mean = <double> bitrate_bps / 8.0 / fps


cdef u32 video_model_next(VideoModel* m, bint keyframe) noexcept nogil:
    cdef double size = m.mean
    if keyframe:
        size *= KEYFRAME_FACTOR
    else:
        size -= m.debt / m.payback
        if size < m.mean * _LEAST:
            size = m.mean * _LEAST
    size *= _factor(&m.random, _VIDEO_SPREAD)
    m.debt += size - m.mean
    return <u32> (size + 0.5)


cdef inline us_t _exponential(u64* random, us_t mean) noexcept nogil:
    cdef double length = -log(_uniform(random))
    return <us_t> (mean * (length if length < _LONGEST else _LONGEST)) + 1


cdef void talk_model_init(TalkModel* m, u64 seed, u8 mode, u32 talk_ms, u32 silence_ms, u32 bitrate_bps, us_t now) noexcept nogil:
    cdef double share
    m.random = seed
    talk_model_rate(m, bitrate_bps)
    m.talk_us = <us_t> talk_ms * US_PER_MS
    m.silence_us = <us_t> silence_ms * US_PER_MS
    m.until = <us_t> _NEVER
    m.talking = mode == TALK_ALWAYS
    if mode == TALK_SPURTS:
        share = <double> talk_ms / (talk_ms + silence_ms)
        m.talking = _uniform(&m.random) <= share
        m.until = now + _exponential(&m.random, m.talk_us if m.talking else m.silence_us)


cdef bint talk_model_at(TalkModel* m, us_t now) noexcept nogil:
    while now >= m.until:
        m.talking = not m.talking
        m.until += _exponential(&m.random, m.talk_us if m.talking else m.silence_us)
    return m.talking


cdef void talk_model_set(TalkModel* m, bint talking) noexcept nogil:
    m.talking = talking
    m.until = <us_t> _NEVER


cdef void talk_model_rate(TalkModel* m, u32 bitrate_bps) noexcept nogil:
    m.mean = <double> bitrate_bps / 8.0 / _AUDIO_FRAMES_PER_S


cdef u32 talk_model_next(TalkModel* m) noexcept nogil:
    return <u32> (m.mean * _factor(&m.random, _AUDIO_SPREAD) + 0.5)
