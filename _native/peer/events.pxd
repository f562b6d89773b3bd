# What a swarm tells about paths and receivers: a bounded list that its owner takes.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.peer.entities cimport MAX_SWARM_EVENTS, PeerEvent, SwarmState

cdef enum:
    EVENT_CONNECTED = 1            # a path; spans of ICE and of DTLS in us, both 0 when it was only disconnected
    EVENT_DISCONNECTED = 2
    EVENT_FAILED = 3
    EVENT_FIRST_PACKET = 4         # a receiver; span in us
    EVENT_FIRST_FRAME = 5
    EVENT_LAYER = 6                # a receiver; when, and spatial << 8 | temporal: what is shown of a video from then on

cdef inline void swarm_event(SwarmState* s, u8 kind, u32 id, us_t first, us_t second) noexcept nogil:
    if s.event_count >= MAX_SWARM_EVENTS:
        s.events_lost += 1
        return
    s.events[s.event_count].kind = kind
    s.events[s.event_count].id = id
    s.events[s.event_count].first = first
    s.events[s.event_count].second = second
    s.event_count += 1
