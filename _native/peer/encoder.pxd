# What a synthetic encoder makes of nothing: sizes of frames around a bitrate, and when somebody talks. Seeded, and nothing else decides.
#
# Video: a frame's size is the mean times a log-normal factor of mean 1; a keyframe is KEYFRAME_FACTOR times that. What was spent beyond the
# bitrate is a debt that the frames of the next half second pay back, each down to a quarter of the mean.
# Speech: talk spurts and silences of exponential length (as in ITU-T P.59), sizes around the bitrate while talking.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    KEYFRAME_FACTOR = 5
    TALK_NEVER = 0               # values of SenderSettings.talk
    TALK_ALWAYS = 1
    TALK_SPURTS = 2

cdef struct VideoModel:
    u64 random
    double mean                  # bytes of a frame
    double debt                  # bytes spent beyond the bitrate
    double payback               # frames that pay it

cdef struct TalkModel:
    u64 random
    double mean                  # bytes of a frame of speech
    us_t talk_us                 # mean lengths
    us_t silence_us
    us_t until                   # when the present spurt or silence ends
    u8 talking

cdef void video_model_init(VideoModel* m, u64 seed, u32 bitrate_bps, u16 fps) noexcept nogil
# Another bitrate from the next frame on; what is owed is owed.
cdef void video_model_rate(VideoModel* m, u32 bitrate_bps, u16 fps) noexcept nogil
# Bytes of the next frame.
cdef u32 video_model_next(VideoModel* m, bint keyframe) noexcept nogil

cdef void talk_model_init(TalkModel* m, u64 seed, u8 mode, u32 talk_ms, u32 silence_ms, u32 bitrate_bps, us_t now) noexcept nogil
# Does somebody talk at `now`? It must not go back. `until` is then the end of that.
cdef bint talk_model_at(TalkModel* m, us_t now) noexcept nogil
# From now on somebody talks, or is silent, until told otherwise.
cdef void talk_model_set(TalkModel* m, bint talking) noexcept nogil
cdef void talk_model_rate(TalkModel* m, u32 bitrate_bps) noexcept nogil
# Bytes of the next frame of speech.
cdef u32 talk_model_next(TalkModel* m) noexcept nogil
