"""What an HTTP error looks like: the object that a failed request on the WebSocket is answered with."""

from __future__ import annotations

import msgspec

from simplestchat.errors import InternalError, PeerFault, SimplestChatError


def shown(error: SimplestChatError) -> SimplestChatError:
    """Return what a client may hear of an error."""
    return error if isinstance(error, PeerFault) else InternalError()


def body(error: SimplestChatError) -> bytes:
    """Return the JSON body for an error."""
    told = shown(error)
    data = {**told.details, "reason": told.reason}
    return msgspec.json.encode({"error": {"code": told.code, "message": told.message, "data": data}})
