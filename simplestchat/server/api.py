"""The HTTP API of rooms: bodies checked like messages, errors of the same shape and words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from simplestchat.errors import (
    Draining,
    InvalidParams,
    InvalidRequest,
    NotFound,
    ParseError,
    PeerFault,
    SimplestChatError,
    TooLarge,
)
from simplestchat.signaling.hub import Hub
from simplestchat.signaling.requests import RoomUpdate
from simplestchat.signaling.rest import RoomCreate, http_status

from . import bounds, problems

log = structlog.get_logger()

_LONGEST_QUERY = 200
_NO_STORE = {"cache-control": "no-store"}

Body = TypeVar("Body")
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(hub: Hub, is_operator: Callable[[Request], bool]) -> list[Route]:
    """Return the routes of the API."""
    api = RoomsApi(hub, is_operator)
    return [
        Route("/api/rooms", _guarded(api.list), methods=["GET"]),
        Route("/api/rooms", _guarded(api.create), methods=["POST"]),
        Route("/api/rooms/{room}", _guarded(api.show), methods=["GET"]),
        Route("/api/rooms/{room}/stats", _guarded(api.stats), methods=["GET"]),
        Route("/api/rooms/{room}", _guarded(api.update), methods=["PATCH"]),
        Route("/api/rooms/{room}", _guarded(api.close), methods=["DELETE"]),
        Route("/api/{path:path}", _guarded(_nothing), methods=["GET"]),
        Route("/api", _guarded(_nothing), methods=["GET"]),
    ]


async def _nothing(_request: Request) -> Response:
    raise NotFound("There is nothing at this path. The protocol reference lists them all.")


class RoomsApi:
    """The endpoints; each raises a SimplestChatError or answers."""

    def __init__(self, hub: Hub, is_operator: Callable[[Request], bool]) -> None:
        self._hub = hub
        self._is_operator = is_operator

    async def list(self, request: Request) -> Response:
        """`GET /api/rooms?query=&cursor=`: public rooms; `GET /api/rooms?id=`: the one with this id, if it is there."""
        if (room_id := request.query_params.get("id")) is not None:
            return _json(self._hub.find_room(room_id))
        query = request.query_params.get("query", "")
        if len(query) > _LONGEST_QUERY:
            raise InvalidParams(f"The query is longer than {_LONGEST_QUERY} characters. Shorten it.")
        return _json(self._hub.list_rooms(query, request.query_params.get("cursor")))

    async def create(self, request: Request) -> Response:
        """`POST /api/rooms`: make a room."""
        if self._hub.draining:
            raise Draining
        return _json(self._hub.create_room(await _body(request, RoomCreate)), 201)

    async def show(self, request: Request) -> Response:
        """`GET /api/rooms/{room}`."""
        return _json(self._hub.show_room(request.path_params["room"]))

    async def stats(self, request: Request) -> Response:
        """`GET /api/rooms/{room}/stats`: what passed its transports, for its owner and for whom metrics are."""
        operator = self._is_operator(request)
        return _json(await self._hub.room_stats(request.path_params["room"], _bearer(request), operator=operator))

    async def update(self, request: Request) -> Response:
        """`PATCH /api/rooms/{room}`: change settings, as its owner."""
        wanted = await _body(request, RoomUpdate)
        return _json(self._hub.update_room(request.path_params["room"], _bearer(request), wanted))

    async def close(self, request: Request) -> Response:
        """`DELETE /api/rooms/{room}`: close it, as its owner."""
        self._hub.close_room(request.path_params["room"], _bearer(request))
        return Response(status_code=204, headers=_NO_STORE)


def failure(error: SimplestChatError) -> Response:
    """Return the response for an error: its reason and message as on the WebSocket."""
    return Response(problems.body(error), http_status(problems.shown(error)), _NO_STORE, "application/json")


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SimplestChatError as error:
            if not isinstance(error, PeerFault):
                log.error("api request failed", problem=type(error).__name__, exc_info=error)
            return failure(error)

    return answer


async def _body(request: Request, shape: type[Body]) -> Body:
    """Return the checked body; nothing at all counts as an empty object."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise InvalidParams("The body must be JSON. Send it with content-type: application/json.")
    body = b""
    try:
        async with aclosing(request.stream()) as parts:
            async for part in parts:
                body += part
                if len(body) > bounds.MAX_BODY_BYTES:
                    raise TooLarge(f"The body is larger than {bounds.MAX_BODY_BYTES} bytes. Send less.")
    except ClientDisconnect:
        raise InvalidRequest("The body did not arrive whole, or not in time.") from None
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except msgspec.ValidationError as error:
        raise InvalidParams(f"The body is wrong: {error}. The protocol reference describes it.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise ParseError("The body is not valid JSON.") from None


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, _NO_STORE, "application/json")


def _bearer(request: Request) -> str:
    """Return the token of the Authorization header, nothing when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
