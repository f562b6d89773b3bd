"""Session descriptions (RFC 8829) of one video stream in one direction, as much as Janus asks for.

A user is ``a=setup:active``: it always begins the DTLS handshake. It names no candidates: Janus is ICE-lite and learns
where checks come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

NAME = "synthetic"
MID = "0"


class NotUnderstood(Exception):
    """A description lacks what a user needs of it."""


@dataclass(frozen=True)
class Endpoint:
    """One end of a transport: ICE credentials, the certificate's digest, and where checks go, if anywhere yet."""

    ufrag: str
    password: str
    fingerprint: tuple[str, str]
    address: tuple[str, int] | None = None


@dataclass(frozen=True)
class Stream:
    """VP8 on one SSRC, with retransmissions on another one or none."""

    payload_type: int
    ssrc: int
    rtx_payload_type: int = -1
    rtx_ssrc: int = 0

    def without_rtx(self) -> Stream:
        """The same, lost packets coming again under its own SSRC."""
        return Stream(self.payload_type, self.ssrc)


@dataclass(frozen=True)
class Description:
    """What is read of Janus's offers and answers. An answer to who only sends has no SSRCs."""

    endpoint: Endpoint
    stream: Stream

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``NotUnderstood``."""
        fields = _fields(text)
        try:
            algorithm, digest = fields["fingerprint"][0].split(" ")
            endpoint = Endpoint(
                fields["ice-ufrag"][0], fields["ice-pwd"][0], (algorithm.lower(), digest), _address(fields)
            )
            return cls(endpoint, _stream(fields))
        except (KeyError, ValueError, IndexError) as error:
            raise NotUnderstood(f"{error!r} in the description\n{text}") from error


def _fields(text: str) -> dict[str, list[str]]:
    """The attributes of the whole session, by name and in order."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        kind, _, value = line.partition("=")
        if kind == "a":
            name, _, rest = value.partition(":")
            fields.setdefault(name, []).append(rest.strip())
    return fields


def _address(fields: dict[str, list[str]]) -> tuple[str, int] | None:
    for candidate in fields.get("candidate", []):
        words = candidate.split()
        if words[2].lower() == "udp" and words[7] == "host":
            return words[4], int(words[5])
    return None


def _stream(fields: dict[str, list[str]]) -> Stream:
    formats = {name.upper(): int(number) for number, name in (one.split(" ", 1) for one in fields["rtpmap"])}
    group = next((one.split()[1:] for one in fields.get("ssrc-group", []) if one.startswith("FID ")), [])
    ssrcs = [int(one) for one in group] or [int(one.split()[0]) for one in fields.get("ssrc", [])[:1]]
    return Stream(
        formats["VP8/90000"],
        ssrcs[0] if ssrcs else 0,
        formats.get("RTX/90000", -1),
        ssrcs[1] if len(ssrcs) > 1 else 0,
    )


def describe(endpoint: Endpoint, stream: Stream, direction: str) -> str:
    """An offer (``sendonly``) or an answer (``recvonly``)."""
    media, rtx = stream.payload_type, stream.rtx_payload_type
    formats = [media] if rtx < 0 else [media, rtx]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {MID}",
        f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, formats))}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{MID}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{endpoint.ufrag}",
        f"a=ice-pwd:{endpoint.password}",
        "a=ice-options:trickle",
        "a=fingerprint:" + " ".join(endpoint.fingerprint),
        "a=setup:active",
        f"a=rtpmap:{media} VP8/90000",
        f"a=rtcp-fb:{media} ccm fir",
        f"a=rtcp-fb:{media} nack",
        f"a=rtcp-fb:{media} nack pli",
    ]
    if rtx >= 0:
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={media}"]
    if direction == "sendonly":
        lines += _sources(stream)
    return "\r\n".join([*lines, ""])


def _sources(stream: Stream) -> list[str]:
    ssrcs = [stream.ssrc, stream.rtx_ssrc] if stream.rtx_ssrc else [stream.ssrc]
    group = [f"a=ssrc-group:FID {stream.ssrc} {stream.rtx_ssrc}"] if stream.rtx_ssrc else []
    return [*group, *(f"a=ssrc:{one} cname:{NAME}" for one in ssrcs)]
