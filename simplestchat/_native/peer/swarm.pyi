"""All synthetic users of one generator process: sans-IO, in virtual or real time."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, final

from simplestchat._native.peer.turns import Turns

#: Of a path: state changes, and what a user waits for.
# (EVENT_CONNECTED, path id, ice_us, dtls_us): spans of connecting, from add_path and from the first check's
# answer
EVENT_CONNECTED: int
EVENT_DISCONNECTED: int  # (EVENT_DISCONNECTED, path id, 0, 0)
EVENT_FAILED: int  # (EVENT_FAILED, path id, 0, 0)
EVENT_FIRST_PACKET: int  # (EVENT_FIRST_PACKET, receiver id, span since wanted or resumed in us, 0)
EVENT_FIRST_FRAME: int  # (EVENT_FIRST_FRAME, receiver id, span in us, 0): first whole keyframe; audio: first packet
# (EVENT_LAYER, receiver id, when in us, spatial << 8 | temporal): the layers of a video that are shown from then on
EVENT_LAYER: int

Event = tuple[int, int, int, int]
#: (count, sum, minimum, maximum, {bucket: count}); see simplestchat.load.histogram
HistogramData = tuple[int, int, int, int, dict[int, int]]

class LinkConditions(TypedDict, total=False):
    """One direction; probabilities 0..1, spans in microseconds. What is absent is clear."""

    loss: float
    burst_enter: float
    burst_leave: float
    burst_loss: float
    duplicate: float
    reorder: float
    reorder_us: int
    corrupt: float
    delay_us: int
    jitter_us: int
    rate_bps: int
    queue_bytes: int
    queue_us: int  # instead of bytes: what the rate takes away in so long
    outage: bool

class LayerInfo(TypedDict):
    ssrc: int
    rtx_ssrc: int
    bitrate_bps: int
    width: int
    height: int
    rid: str

class SenderInfo(TypedDict):
    """The fields of SenderSettings in _native/peer/settings.pxd; `ext` maps mid, audio-level, abs-send-time,
    transport-cc, rid, repaired-rid, dependency-descriptor to ids. `scalability` is a mode of W3C webrtc-svc,
    absent: L1T1.
    """

    user: int
    track: int
    codec: str  # opus, vp8, h264, vp9, av1
    payload_type: int
    rtx_payload_type: int
    clock_rate: int
    fps: int
    max_payload: int
    ext: Mapping[str, int]
    mid: str
    talk: int
    dtx: bool
    talk_ms: int
    silence_ms: int
    seed: int
    scalability: NotRequired[str]
    layers: Sequence[LayerInfo]

class ReceiverInfo(TypedDict):
    """The fields of ReceiverSettings; `wanted_us` is since when its user waits, absent: since it is added."""

    user: int
    visit: NotRequired[int]
    track: int
    codec: str
    payload_type: int
    rtx_payload_type: int
    ssrc: int
    rtx_ssrc: int
    clock_rate: int
    ext: Mapping[str, int]
    wanted_us: NotRequired[int]

@final
class Swarm(Turns):
    """Paths, senders and receivers, by numbers that the caller chooses. Raises MisuseError for unknown or
    used numbers and bad settings.

    Every method is safe to call from another thread than the loop's: it waits for the end of the loop's turn.
    In virtual time the moment is that of the last feed or tick.
    """

    @property
    def fingerprint(self) -> tuple[str, str]:
        """Algorithm and colon-separated hex of the certificate that all paths use."""
    def add_path(
        self,
        path: int,
        user: int,
        server: tuple[str, int],
        ufrag: str,
        password: str,
        fingerprint: tuple[str, str],
        seed: int,
    ) -> None:
        """Starts ICE, then DTLS, at once. `fingerprint` is the server's."""
    def restart_ice(self, path: int, ufrag: str, password: str) -> None: ...
    def credentials(self, path: int) -> tuple[str, str]:
        """Our own ICE name and password, for a server that makes checks of its own."""
    def rebind(self, path: int) -> None:
        """The user's address changes: the next datagrams leave from a new socket, a check first."""
    def silence(self, path: int) -> None:
        """As a crash: sends nothing from now on, without goodbye."""
    def remove_path(self, path: int) -> dict[str, int]:
        """Says goodbye (DTLS close_notify) unless silenced; its senders and receivers end. Returns the
        path's totals.
        """
    def set_network(self, path: int, up: LinkConditions | None, down: LinkConditions | None) -> None:
        """None: no emulation in that direction. What becomes of a packet follows from the path's seed, the
        direction, how often emulation began there, and its place in the row since then.
        """
    def add_sender(self, sender: int, path: int, info: SenderInfo) -> None: ...
    def mute(self, sender: int, muted: bool, forbidden: bool = False) -> None:
        """With `forbidden`, packets go on, marked as ones that nobody may get."""
    def talk(self, sender: int, talking: bool) -> None:
        """A microphone hears somebody from now on, or silence, instead of what `talk` said."""
    def set_layers(self, sender: int, mask: int) -> None: ...
    def set_bitrate(self, sender: int, layer: int, bps: int) -> None:
        """An encoding's bitrate from its next frame on."""
    def request_keyframe(self, sender: int) -> None: ...
    def remove_sender(self, sender: int) -> dict[str, Any]:
        """Its totals (SenderTotals; `counters` is a list)."""
    def add_receiver(self, receiver: int, path: int, info: ReceiverInfo) -> None: ...
    def end_receiver(self, receiver: int, expected: int | None = None) -> None:
        """From now on nothing more is due (paused); see receiver_end."""
    def resume_receiver(self, receiver: int) -> None: ...
    def remove_receiver(self, receiver: int, expected: int | None = None) -> dict[str, int]:
        """Its totals (ReceiverTotals), final: see receiver_close. What still arrives on its SSRC counts as
        misdelivered for the path.
        """
    def sender_totals(self, sender: int) -> dict[str, Any]: ...
    def receiver_totals(self, receiver: int) -> dict[str, int]: ...
    def path_totals(self, path: int) -> dict[str, int]:
        """state, packets_in/out, bytes_in/out, stun_sent, dropped, unknown_ssrc, undecryptable, replayed,
        misdelivered, corrupt, rtt_us, remb_bps (the server's estimate, 0: none), and for each direction with an
        emulated bottleneck (up_, down_): rate_bps, queue_us (that its queue takes to run empty), bytes, queue_drops.
        """
    def sample(self) -> dict[str, Any]:
        """Since the last sample.

        `totals`: sums over everything that ever was, by the names of SenderTotals (prefix sent_),
        ReceiverTotals and path totals;
        `histograms`: name -> HistogramData since the last sample: latency_audio, latency_video, jitter,
        frame_latency, ice, dtls,
        first_packet, first_frame, rtt, lag (due to sent of media), wake (kernel's receive timestamp to being read);
        `paths`, `connected`, `senders`, `receivers`: how many there are now;
        `events_lost`: events that nobody took in time, ever.
        """
    def take_events(self) -> list[Event]: ...
