# Who speaks: dominant speaker identification (Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing", 2013)
# over the audio levels that packets carry (RFC 6464), and the few that are heard in a big group.
#
# Of each speaker three counts are kept: how far its latest 20 ms are above its own noise (immediate), how many of the latest 5 such
# frames are speech (medium), how many of the latest 10 blocks of 5 frames are (long). Each gives the likelihood ratio of speech to
# silence, and somebody becomes dominant whose ratios are above the dominant one's by so much at all three: it speaks while the other
# pauses, and did so for longer. So a cough takes nothing over, and who is dominant stays so while others talk into it.
#
# A noise floor of each speaker, the least level of the last 4 to 8 s, is subtracted first: a fan that always runs is not speech.
from simplestchat._native.core.types cimport i64, u8, u16, u32, u64, us_t

cdef enum:
    SPEAKERS_FRAME_US = 20000        # what most packets of audio last
    SPEAKERS_HELD_FRAMES = 3         # a level is taken to last so long when nothing follows it: longer packets, jitter
    SPEAKERS_STEP_DB = 3             # of the immediate count
    SPEAKERS_QUIETEST = 62           # dB above -127 dBov: no noise floor is taken to be below -65 dBov
    SPEAKERS_FLOOR_US = 4000000      # half of the time over which the least level is kept
    SPEAKERS_IMMEDIATE = 13          # steps (N1)
    SPEAKERS_MEDIUM = 5              # frames (N2)
    SPEAKERS_LONG = 10               # blocks of so many frames (N3)
    SPEAKERS_FRAME_SPEECH = 4        # steps that make a frame speech: 12 dB above the noise
    SPEAKERS_BLOCK_SPEECH = 3        # frames of speech that make a block speech
    SPEAKERS_TAKEOVER = 4            # blocks of speech before anyone becomes dominant: a cough is shorter
    SPEAKERS_HEARD = 8               # the largest limit
    # Of those who are heard, who was silent for so long gives way; a shorter pause is one between words.
    SPEAKERS_PAUSE_US = 1000000
    SPEAKERS_LOUDER_DB = 6           # who is louder by so much takes the place even of one that speaks

cdef struct Speaker:                 # zeroed, then speaker_join
    SpeakerGroup* group              # NULL: of none
    Speaker* next                    # among those who spoke lately
    Speaker* before
    u32 id                           # the caller's
    u64 frames                       # a bit for each frame, the latest lowest: was it speech?
    i64 frame                        # number of the latest one
    us_t spoke_us                    # when its latest frame of speech was; 0: never
    i64 floor_frame                  # when the younger half of the floor's time began
    u16 loudness                     # smoothed, of frames that are speech: dB above -127 dBov, times 256
    u8 immediate                     # steps of the latest frame
    u8 least, older                  # least levels of both halves, in dB above -127 dBov
    u8 listed                        # in the list
    u8 heard                         # ask speaker_heard

cdef struct SpeakerGroup:            # zeroed is ready
    Speaker* first                   # of those who spoke lately
    Speaker* dominant                # NULL: nobody
    Speaker* heard[SPEAKERS_HEARD]
    u32 members
    u8 heard_count
    u8 limit                         # of those who are heard; 0: everybody is

cdef void speaker_join(SpeakerGroup* g, Speaker* s, u32 id, us_t now) noexcept nogil
# Out of its group, if it is in one. When the dominant one leaves, nobody is dominant until a tick finds another.
cdef void speaker_leave(Speaker* s) noexcept nogil
# A packet's level, as in RFC 6464: 0 is the loudest, 127 silence. To be called before the packet is forwarded: a speaker that begins
# is heard from its first word.
cdef void speaker_level(Speaker* s, u8 level, us_t now) noexcept nogil
# Every 100 to 300 ms. Whether `dominant` changed.
cdef bint speakers_tick(SpeakerGroup* g, us_t now) noexcept nogil
# At most so many are heard, SPEAKERS_HEARD at most; 0: everybody.
cdef void speakers_limit(SpeakerGroup* g, u8 limit) noexcept nogil
cdef inline bint speaker_heard(const Speaker* s) noexcept nogil:
    return s.group == NULL or s.group.limit == 0 or s.heard
