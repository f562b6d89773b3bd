"""JSON-RPC 2.0: text to a call, results, errors and notifications to bytes. Stateless."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from simplestchat.errors import (
    Internal,
    InternalError,
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    Misuse,
    ParseError,
    SimplestChatError,
)
from simplestchat.signaling.notices import Notice
from simplestchat.signaling.registry import DECODERS, PING

ID_MAX: Final = 128  # characters of a request id; longer ones would be echoed for nothing
_INT_ID_MAX: Final = 2**53 - 1  # what every JSON reader keeps exactly
_EMPTY: Final = msgspec.Raw(b"{}")
_NULL: Final = msgspec.Raw(b"null")


class Call(msgspec.Struct, frozen=True):
    """A checked envelope; parameters are still raw."""

    method: str
    params: msgspec.Raw | UnsetType = UNSET
    id: int | str | UnsetType = UNSET
    jsonrpc: str = ""


class _Success(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag="2.0"):
    id: int | str
    result: Any


class _ErrorBody(msgspec.Struct, frozen=True):
    code: int
    message: str
    data: dict[str, object]


class _Failure(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag="2.0"):
    id: int | str | None
    error: _ErrorBody


class _Numbered(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag="2.0"):
    method: str
    params: Notice
    seq: int


class _Unnumbered(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag="2.0"):
    method: str
    params: Notice


class BadCall(Exception):
    """A message that is no call: the error to answer and the id to answer under."""

    def __init__(self, error: SimplestChatError, id: int | str | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.id = id


_CALL = msgspec.json.Decoder(Call)
_ENCODER = msgspec.json.Encoder()


def parse(text: str | bytes) -> Call:
    """The call in one text frame; raises ``BadCall`` and nothing else."""
    try:
        call = _CALL.decode(text)
    except msgspec.ValidationError:
        raise BadCall(*_not_a_request(text)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadCall(ParseError(), None) from None
    if call.jsonrpc != "2.0" or not _good_id(call.id):
        raise BadCall(InvalidRequest(), None if isinstance(call.id, UnsetType) or not _good_id(call.id) else call.id)
    return call


def _good_id(id: object) -> bool:
    if isinstance(id, str):
        return len(id) <= ID_MAX
    return isinstance(id, UnsetType) or (isinstance(id, int) and abs(id) <= _INT_ID_MAX)


def _not_a_request(text: str | bytes) -> tuple[SimplestChatError, int | str | None]:
    """Why well-formed JSON is no request, and the id under which its sender waits."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return ParseError(), None
    if isinstance(value, list):
        return InvalidRequest("Batches are not supported. Send each request as a text frame of its own."), None
    id = value.get("id") if isinstance(value, dict) else None
    known = isinstance(id, (int, str)) and not isinstance(id, bool) and _good_id(id)
    return InvalidRequest(), id if known else None


def check_known(call: Call) -> None:
    """Raise ``MethodNotFound`` unless there is such a method."""
    if call.method not in DECODERS:
        raise MethodNotFound(f"There is no method {call.method[:64]!r}. The protocol reference lists them all.")


def params_of(call: Call) -> Any:
    """The checked parameters struct of a call; raises ``MethodNotFound`` or ``InvalidParams``."""
    check_known(call)
    params = call.params
    if call.method == PING:
        return msgspec.Raw(b"null") if isinstance(params, UnsetType) else params.copy()
    if isinstance(params, UnsetType) or params == _NULL:
        params = _EMPTY
    try:
        return DECODERS[call.method].decode(params)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        if bytes(params)[:1] == b"[":
            error_text = f"{call.method} takes its parameters by name. Send an object, not a list."
            raise InvalidParams(error_text) from None
        raise InvalidParams(
            f"The parameters of {call.method} are wrong: {error}. The protocol reference describes them."
        ) from None


def encoded(part: object) -> msgspec.Raw:
    """A part of a message that goes into many messages."""
    return msgspec.Raw(_ENCODER.encode(part))


def success(id: int | str, result: object) -> bytes:
    """The answer to a call that worked."""
    return _ENCODER.encode(_Success(id=id, result=result))


def failure(id: int | str | None, error: SimplestChatError) -> bytes:
    """The answer to a call that failed."""
    return _ENCODER.encode(_Failure(id=id, error=_error_body(error)))


def _error_body(error: SimplestChatError) -> _ErrorBody:
    """What a client hears of an error; what is our own fault keeps its details to itself."""
    shown = error if not isinstance(error, (Internal, Misuse)) or error.reason != "internal" else InternalError()
    return _ErrorBody(shown.code, shown.message, {**shown.details, "reason": shown.reason})


def notification(notice: Notice, seq: int | None) -> bytes:
    """A notification, encoded once for everyone it goes to."""
    if seq is None:
        return _ENCODER.encode(_Unnumbered(method=notice.method, params=notice))
    return _ENCODER.encode(_Numbered(method=notice.method, params=notice, seq=seq))
