"""The media plane's transports in the shapes of mediasoup-client, and clients' certificates in the media plane's."""

from __future__ import annotations

import re
from typing import Final

from simplestchat.errors import InvalidParams
from simplestchat.model.media import Decision, Fingerprint, IceParameters, TransportInfo
from simplestchat.signaling.data import DtlsFingerprint, DtlsParameters, IceCandidateInfo, IceParametersInfo
from simplestchat.signaling.requests import ConsumerView, DecisionInfo, TransportCreated

# Bytes of the hashes that we check; weaker ones are passed over.
_HASH_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_HEX_PAIRS: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2})*")


def fingerprints(given: list[DtlsFingerprint]) -> list[Fingerprint]:
    """The fingerprints that can be checked; raises ``InvalidParams`` when one is malformed or none is left."""
    found = []
    for one in given:
        algorithm, value = one.algorithm.lower(), one.value.upper()
        size = _HASH_BYTES.get(algorithm)
        if size is None:
            continue
        if len(value) != 3 * size - 1 or not _HEX_PAIRS.fullmatch(value):
            raise InvalidParams(f"The {algorithm} fingerprint is malformed. Write {size} bytes as AB:CD:…")
        found.append(Fingerprint(algorithm, value))
    if not found:
        raise InvalidParams(f"No fingerprint can be checked. Send one of {', '.join(_HASH_BYTES)}.")
    return found


def ice_parameters(ice: IceParameters) -> IceParametersInfo:
    """ICE credentials of the server."""
    return IceParametersInfo(username_fragment=ice.username_fragment, password=ice.password, ice_lite=True)


def size(view: ConsumerView) -> tuple[int, int]:
    """The size of a view; what has no width or no height is out of view."""
    return (view.width, view.height) if view.width and view.height else (0, 0)


def decision(row: Decision, consumer_id: str, now_us: float) -> DecisionInfo:
    """A choice of layers, as it was some time ago."""
    return DecisionInfo(
        ago_ms=max(0, round((now_us - row.time_us) / 1000)),
        consumer_id=consumer_id,
        old_spatial_layer=_layer(row.old_spatial),
        old_temporal_layer=_layer(row.old_temporal),
        spatial_layer=_layer(row.new_spatial),
        temporal_layer=_layer(row.new_temporal),
        reason=row.reason,
        available_bitrate=row.estimate_bps,
    )


def _layer(number: int) -> int | None:
    return number if number >= 0 else None


def created(transport_id: str, info: TransportInfo) -> TransportCreated:
    """A new transport."""
    return TransportCreated(
        id=transport_id,
        ice_parameters=ice_parameters(info.ice),
        ice_candidates=[
            IceCandidateInfo(
                foundation=one.foundation,
                priority=one.priority,
                ip=one.address,
                address=one.address,
                protocol=one.protocol,
                port=one.port,
                type="host",
                tcp_type="passive" if one.protocol == "tcp" else None,
            )
            for one in info.candidates
        ],
        dtls_parameters=DtlsParameters(
            role="auto",
            fingerprints=[DtlsFingerprint(algorithm=one.algorithm, value=one.value) for one in info.fingerprints],
        ),
    )
