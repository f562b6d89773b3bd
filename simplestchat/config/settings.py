"""The table of settings: every option, variable and TOML key of `simplestchat serve`, once.

A field's name gives all its spellings: `rtc_port` is `--rtc-port`, `SIMPLESTCHAT_RTC_PORT` and the TOML key
`rtc-port`. The help texts, `docs/settings.md` and the checks are made from the same lines.
"""

# ruff: noqa: RUF009  (`setting` returns a dataclass field, which is what a default should be here)
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from .kinds import Addresses, Choice, FilePath, Host, Integer, Kind, Order, Origins

ENV_PREFIX = "SIMPLESTCHAT_"
MEBIBYTE = 1024 * 1024

# What the media core can hold (`_native/engine/entities.pxd`); more is no use to set.
MAX_WORKER_TRANSPORTS = 16_384
MAX_TRANSPORT_PRODUCERS = 32
MAX_TRANSPORT_CONSUMERS = 2048
MAX_LOUDEST = 8


VIDEO_CODECS = ("av1", "vp9", "vp8", "h264")


def setting(kind: Kind, help_text: str, *, default: Any = None, factory: Callable[[], Any] | None = None) -> Any:
    """Declare one setting; `factory` computes a default that depends on the machine."""
    metadata = {"kind": kind, "help": help_text}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def usable_cores() -> int:
    """Count the cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def default_state_dir() -> Path:
    """Return where state that outlives a run is kept (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "simplestchat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where and how the page, the API and the WebSocket are served."""

    host: str = setting(Host(), "address to listen on; 0.0.0.0 or :: for all", default="127.0.0.1")
    port: int = setting(Integer(0, 65535, "PORT"), "TCP port to listen on; 0 takes a free one", default=8080)
    tls: str = setting(
        Choice(("off", "self-signed")),
        "self-signed: make a certificate for this machine's addresses at first start and use it again later",
        default="off",
    )
    tls_cert: Path | None = setting(FilePath(), "certificate chain in PEM; needs tls-key")
    tls_key: Path | None = setting(FilePath(), "private key in PEM; needs tls-cert")
    state_dir: Path = setting(FilePath(), "where the self-signed certificate is kept", factory=default_state_dir)
    allowed_origins: tuple[str, ...] = setting(
        Origins(), "web origins that may connect; by default only pages of the same host", default=()
    )
    metrics: str = setting(
        Choice(("local", "public", "off")),
        "who may read /metrics: programs on this machine, everybody or nobody",
        default="local",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The worker processes that carry audio and video."""

    workers: int = setting(Integer(1, 128), "worker processes; by default one per core", factory=usable_cores)
    spare_workers: int = setting(
        Integer(0, 128), "processes that stand ready to take the place of a worker that dies", default=1
    )
    spread_at: int = setting(
        Integer(0, 100, "PERCENT"),
        "how busy, in percent of a core, the workers of a room are when those who join it go to further workers",
        default=50,
    )
    pin_workers: str = setting(
        Choice(("auto", "on", "off")),
        "bind each worker to a core of its own; auto: where there are more cores than workers",
        default="auto",
    )
    rtc_port: int = setting(
        Integer(0, 65535, "PORT"), "UDP port of the first worker, the next one has the next port; 0 takes free ones",
        default=40000,
    )  # fmt: skip
    srtp_backend: str = setting(
        Choice(("auto", "openssl", "ipsec-mb")),
        "what encrypts media: ipsec-mb costs less; auto takes it where it is installed and agrees with OpenSSL",
        default="auto",
    )
    udp_offload: str = setting(
        Choice(("on", "off")),
        "exchange whole trains of datagrams with the kernel (GSO, GRO), which costs less; off: one by one, "
        "where a kernel or network card gets that wrong",
        default="on",
    )
    announce: tuple[str, ...] = setting(
        Addresses(), "address that clients send media to; by default every address of this machine", default=()
    )
    video_codecs: tuple[str, ...] = setting(
        Order(VIDEO_CODECS),
        "video codecs in the order in which rooms prefer them; a room takes what everybody in it can receive",
        default=VIDEO_CODECS,
    )
    video_limit: int = setting(
        Integer(0, 1000),
        "people of a room whose cameras are forwarded, those who spoke last; 0: all; a room's owner may set another",
        default=0,
    )
    loudest: int = setting(
        Integer(0, MAX_LOUDEST),
        "voices that are forwarded at a time in rooms with more than loudest-above people, the loudest ones; 0: all; "
        "a room's owner may set another",
        default=3,
    )
    loudest_above: int = setting(
        Integer(0, 1_000_000), "people up to which a room is so small that all voices are forwarded", default=10
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What is written to standard error."""

    log_level: str = setting(
        Choice(("debug", "info", "warning", "error")), "the least important messages to log", default="info"
    )
    log_format: str = setting(Choice(("text", "json")), "text for people, json for log collectors", default="text")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLimits:
    """Bounds of rooms and of what one member may hold."""

    max_rooms: int = setting(Integer(1, 1_000_000), "rooms on this server", default=10_000)
    max_room_peers: int = setting(Integer(1, MAX_WORKER_TRANSPORTS), "people in one room", default=2000)
    max_transports: int = setting(Integer(1, 1024), "media transports of one connection", default=16)
    max_producers: int = setting(Integer(1, MAX_TRANSPORT_PRODUCERS), "published streams of one connection", default=16)
    max_consumers: int = setting(Integer(1, MAX_TRANSPORT_CONSUMERS), "received streams of one connection", default=256)
    max_history_bytes: int = setting(
        Integer(MEBIBYTE, 1 << 40, "BYTES"),
        "bytes of chat and of notifications for those who come back that all rooms remember together",
        default=512 * MEBIBYTE,
    )
    chat_history: int = setting(Integer(1, 100_000), "chat messages that a room remembers", default=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Bounds of connections, so that nobody can use up the machine."""

    max_connections: int = setting(Integer(1, 1_000_000), "open TCP connections", default=10_000)
    max_connections_per_address: int = setting(
        Integer(1, 1_000_000), "open TCP connections from one address", default=4000
    )
    http_burst: int = setting(Integer(1, 1_000_000), "HTTP requests that one address may send at once", default=20_000)
    http_rate: int = setting(
        Integer(1, 1_000_000), "HTTP requests per second that one address may keep up", default=200
    )
    room_burst: int = setting(Integer(1, 1_000_000), "rooms that one address may make at once over the API", default=20)
    room_rate: int = setting(
        Integer(1, 1_000_000), "rooms per minute that one address may keep making over the API", default=60
    )
    room_join_burst: int = setting(
        Integer(1, 1_000_000), "rooms that one address may make at once by joining them", default=2000
    )
    room_join_rate: int = setting(
        Integer(1, 1_000_000), "rooms per minute that one address may keep making by joining them", default=120
    )
    join_deadline: int = setting(
        Integer(1, 86_400, "SECONDS"), "seconds that a WebSocket may be in no room before it is closed", default=60
    )
    message_burst: int = setting(Integer(1, 1_000_000), "messages that a connection may send at once", default=500)
    message_rate: int = setting(Integer(1, 1_000_000), "messages per second that a connection may keep up", default=100)
    max_queue_messages: int = setting(
        Integer(16, 1_000_000), "unsent messages before a slow reader is closed", default=4096
    )
    max_queue_bytes: int = setting(
        Integer(65536, 1 << 30, "BYTES"), "unsent bytes before a slow reader is closed", default=4 * MEBIBYTE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a node, by group."""

    web: Web = field(default_factory=Web)
    media: Media = field(default_factory=Media)
    logs: Logs = field(default_factory=Logs)
    rooms: RoomLimits = field(default_factory=RoomLimits)
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    given: Mapping[str, str] = field(default_factory=dict, compare=False)
    """How the operator spelt each setting that is no default: an option, a variable, or a key of a file."""

    def spelling(self, field_name: str) -> str:
        """Return what the operator called a setting; the option when it is a default."""
        return self.given.get(field_name, "--" + field_name.replace("_", "-"))


#: The field of `Settings` for each group's class, and the group's title.
GROUPS: dict[str, tuple[type, str]] = {
    "web": (Web, "web"),
    "media": (Media, "media"),
    "logs": (Logs, "logs"),
    "rooms": (RoomLimits, "limits of rooms"),
    "connections": (ConnectionLimits, "limits of connections"),
}


class Entry(NamedTuple):
    """One line of the table, with all its spellings."""

    group: str
    field_name: str
    kind: Kind
    help: str

    @property
    def key(self) -> str:
        """The TOML key."""
        return self.field_name.replace("_", "-")

    @property
    def option(self) -> str:
        """The command line option."""
        return "--" + self.key

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENV_PREFIX + self.field_name.upper()

    def default(self) -> object:
        """Return the default on this machine."""
        return getattr(GROUPS[self.group][0](), self.field_name)

    def default_text(self) -> str:
        """Describe the default for help texts, independent of the machine."""
        if self.field_name == "workers":
            return "one per core"
        if self.field_name == "state_dir":
            return "~/.local/state/simplestchat"
        value = self.default()
        if isinstance(value, tuple):
            value = ", ".join(value) or None
        return "none" if value is None else str(value)


def entries() -> Iterator[Entry]:
    """Walk through the table in its written order."""
    for group, (cls, _title) in GROUPS.items():
        for item in fields(cls):
            yield Entry(group, item.name, item.metadata["kind"], item.metadata["help"])
