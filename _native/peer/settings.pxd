# What a synthetic user's tracks and receptions are told when they are made; plain numbers, filled in by the swarm from Python arguments.
from simplestchat._native.core.types cimport i16, u16, u32, u64, u8, us_t
from simplestchat._native.peer.scalability cimport Scalability

cdef enum:
    TRACK_MICROPHONE = 0
    TRACK_CAMERA = 1
    TRACK_SCREEN = 2

    PEER_EXT_MID = 0
    PEER_EXT_AUDIO_LEVEL = 1
    PEER_EXT_ABS_SEND_TIME = 2
    PEER_EXT_TRANSPORT_CC = 3        # its numbers are the path's, written when a packet is sealed
    PEER_EXT_RID = 4
    PEER_EXT_REPAIRED_RID = 5
    PEER_EXT_DEPENDENCY = 6          # descriptor of a layered AV1 stream
    PEER_EXT_COUNT = 7

    PEER_MAX_LAYERS = 3
    PEER_NAME_SIZE = 16

# One encoding. A track without simulcast has one, with an empty rid.
cdef struct LayerSettings:
    u32 ssrc
    u32 rtx_ssrc                   # 0: no RTX
    u32 bitrate_bps                # of the payload
    u16 width
    u16 height
    char rid[PEER_NAME_SIZE + 1]

cdef struct SenderSettings:
    u32 id                         # chosen by the caller, unique in the swarm
    u32 user
    u8 track                       # TRACK_*
    u8 codec                       # PayloadCodec
    u8 video
    u8 payload_type
    i16 rtx_payload_type           # -1: none
    u32 clock_rate
    u16 fps                        # video; audio has 50 packets a second
    u16 max_payload                # bytes of a packet's payload at most (1100 to 1200 as browsers do)
    u8 ext[PEER_EXT_COUNT]         # header extension ids, 0 not negotiated
    char mid[PEER_NAME_SIZE + 1]
    u8 talk                        # audio: 0 always silent (DTX), 1 always talking, 2 talk spurts from the seed
    u8 dtx                         # audio: silence is one packet in 400 ms instead of 50 a second
    u16 talk_ms                    # mean length of a talk spurt
    u16 silence_ms                 # mean length of the silence between
    u64 seed
    Scalability scalability        # of each encoding; spatial layers where there is one
    u8 layer_count
    LayerSettings layers[PEER_MAX_LAYERS]

cdef struct ReceiverSettings:
    u32 id                         # chosen by the caller, unique in the swarm
    u32 user                       # the publisher that should be heard here
    u32 visit                      # which of its visits
    u8 track
    u8 codec
    u8 video
    u8 payload_type
    i16 rtx_payload_type
    u32 ssrc
    u32 rtx_ssrc
    u32 clock_rate
    u8 ext[PEER_EXT_COUNT]
    us_t wanted_us                 # since when its user waits for it, on the swarm's clock; 0: since it is made
