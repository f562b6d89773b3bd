# What a plain packet of a publisher says of itself: header extensions that are passed on, and facts of its codec. Once for all consumers.
from simplestchat._native.core.types cimport u8, us_t
from simplestchat._native.engine.entities cimport Codec, PacketFacts, Producer, Stream
from simplestchat._native.stream.cache cimport CachedPacket
from simplestchat._native.wire.rtp cimport RtpView

# Fills in the packet's slot. Its facts, NULL for audio or without memory.
cdef PacketFacts* inspect_packet(Producer* p, Stream* st, const Codec* codec, CachedPacket* packet, const u8* data,
                                 const RtpView* view, us_t now) noexcept nogil
# The facts of a packet that is in the cache; NULL for audio.
cdef inline const PacketFacts* inspect_facts(const Stream* st, const CachedPacket* packet) noexcept nogil:
    return &st.facts[packet.index & st.cache.slot_mask] if st.facts != NULL else NULL
