"""Small RTP and RTCP packets for tests that look at encryption, and libsrtp to compare with."""

from __future__ import annotations

import random
import struct

from pylibsrtp import Policy, Session

from simplestchat._native.testing.probe_crypto import AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80

PROFILES = {
    AES128_CM_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
SUITE_NAMES = {AES128_CM_SHA1_80: "cm-sha1-80", AEAD_AES_128_GCM: "gcm-128", AEAD_AES_256_GCM: "gcm-256"}


def rtp(ssrc: int, sequence: int, payload: bytes, *, csrcs: int = 0, extension: bytes = b"") -> bytes:
    """An RTP packet; ``extension`` is a whole number of words."""
    first = 0x80 | csrcs | (0x10 if extension else 0)
    block = struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension if extension else b""
    head = struct.pack("!BBHII", first, 96, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, ssrc)
    return head + bytes(4 * csrcs) + block + payload


def any_rtp(rng: random.Random, ssrc: int, sequence: int, longest: int = 200) -> bytes:
    """An RTP packet of a random shape."""
    return rtp(
        ssrc,
        sequence,
        rng.randbytes(rng.randrange(longest)),
        csrcs=rng.choice((0, 0, 0, 2, 15)),
        extension=rng.randbytes(4 * rng.choice((0, 0, 1, 5))),
    )


def any_rtcp(rng: random.Random, ssrc: int) -> bytes:
    """A packet with an RTCP header and random words."""
    words = rng.randrange(40)
    return struct.pack("!BBHI", 0x80, rng.choice((200, 201, 205, 206)), words + 1, ssrc) + rng.randbytes(4 * words)


def libsrtp(suite: int, key: bytes, salt: bytes, *, sends: bool, window: int = 1024) -> Session:
    """One direction of libsrtp."""
    kind = Policy.SSRC_ANY_OUTBOUND if sends else Policy.SSRC_ANY_INBOUND
    policy = Policy(key=key + salt, ssrc_type=kind, srtp_profile=PROFILES[suite])
    policy.window_size = window
    policy.allow_repeat_tx = False
    return Session(policy)
