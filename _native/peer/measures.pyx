"""The swarm's histograms and sums for Python; see measures.pxd."""

from simplestchat._native.core.histogram cimport histogram_clear, histogram_take
from simplestchat._native.core.types cimport u64
from simplestchat._native.peer.entities cimport SUMS, SwarmMeasures

# In the order of SenderTotals, ReceiverTotals and PathTotals. A name that is there twice is a sum of both.
cdef tuple _NAMES = (
    "sent_packets", "sent_bytes", "sent_frames", "sent_keyframes", "sent_resent", "sent_nacks", "sent_keyframe_requests",
    "sent_forbidden", "sent_reported_lost",
    "packets", "bytes", "delivered", "lost", "lost_uplink", "withheld", "missed", "repaired", "duplicate", "repeated", "corrupt", "reordered",
    "misdelivered", "frames", "frames_broken", "keyframes", "freezes", "freeze_us", "nacks", "keyframe_requests",
    "packets_in", "packets_out", "bytes_in", "bytes_out", "stun_sent", "dropped", "unknown_ssrc", "undecryptable", "replayed",
    "misdelivered", "corrupt",
)
if len(_NAMES) != SUMS:
    raise AssertionError("a counter of a synthetic peer has no name")


cdef void measures_clear(SwarmMeasures* m) noexcept nogil:
    histogram_clear(&m.media.latency_audio)
    histogram_clear(&m.media.latency_video)
    histogram_clear(&m.media.jitter)
    histogram_clear(&m.media.frame_latency)
    histogram_clear(&m.ice)
    histogram_clear(&m.dtls)
    histogram_clear(&m.first_packet)
    histogram_clear(&m.first_frame)
    histogram_clear(&m.rtt)
    histogram_clear(&m.lag)
    histogram_clear(&m.wake)


cdef dict measures_take(SwarmMeasures* m):
    return {
        "latency_audio": histogram_take(&m.media.latency_audio), "latency_video": histogram_take(&m.media.latency_video),
        "jitter": histogram_take(&m.media.jitter), "frame_latency": histogram_take(&m.media.frame_latency),
        "ice": histogram_take(&m.ice), "dtls": histogram_take(&m.dtls), "first_packet": histogram_take(&m.first_packet),
        "first_frame": histogram_take(&m.first_frame), "rtt": histogram_take(&m.rtt), "lag": histogram_take(&m.lag),
        "wake": histogram_take(&m.wake),
    }


cdef dict measures_sums(const u64* sums):
    cdef int i
    named = dict.fromkeys(_NAMES, 0)
    for i in range(SUMS):
        named[_NAMES[i]] += sums[i]
    # A datagram that came twice is a duplicate as well, although SRTP's replay protection took it.
    named["duplicate"] += named["replayed"]
    return named
