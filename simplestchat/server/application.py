"""The Starlette application: health, metrics, the API of rooms and the browser client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simplestchat.errors import Forbidden, InvalidRequest, NotFound
from simplestchat.metrics import CONTENT_TYPE, Metrics
from simplestchat.signaling.hub import Hub

from . import api
from .admission import from_this_machine
from .asgi import Application, Message, Receive, Send
from .headers import SecurityHeaders
from .origin import origin_allowed
from .static import StaticFiles

_SAFE_METHODS = ("GET", "HEAD")


def make_application(
    hub: Hub,
    metrics: Metrics,
    static: StaticFiles,
    *,
    ready: Callable[[], bool],
    refresh: Callable[[], Awaitable[None]],
    allowed_origins: Collection[str],
    metrics_for: str = "local",
) -> Application:
    """Return what answers every request that is no WebSocket; `refresh` brings metrics up to date before a scrape."""

    async def healthz(_request: Request) -> Response:
        """The process is alive; nothing else is looked at."""
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        """New joins may come here."""
        return PlainTextResponse("ready\n") if ready() else PlainTextResponse("not ready\n", 503)

    async def scrape(request: Request) -> Response:
        if metrics_for == "off":
            return api.failure(NotFound("This server shows no metrics; its operator can with --metrics local."))
        if metrics_for == "local" and not _for_itself(request):
            return api.failure(Forbidden("Metrics are for this machine only; the operator can open --metrics public."))
        await refresh()
        return Response(metrics.render(), headers={"content-type": CONTENT_TYPE})

    def is_operator(request: Request) -> bool:
        """Metrics may be for everybody; what they do not name, rooms and people, is for this machine."""
        return metrics_for != "off" and _for_itself(request)

    async def no_such_api(_request: Request) -> Response:
        """Answer like the API itself, not like the pages below."""
        raise HTTPException(404)

    async def failed(request: Request, error: Exception) -> Response:
        """Answer a path or method that there is not, in the shape of all errors."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return api.failure(NotFound("There is nothing at this path."))
        response = api.failure(InvalidRequest("This path does not take this method."))
        response.status_code = status
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    starlette = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", scrape),
            *api.routes(hub, is_operator),
            Route("/api/{path:path}", no_such_api),
            Route("/{path:path}", static.respond),
        ],
        exception_handlers={HTTPException: failed},
    )
    return SecurityHeaders(_SameOrigin(starlette, metrics, allowed_origins))


def _for_itself(request: Request) -> bool:
    """Whether a program on this machine asks."""
    return request.client is not None and from_this_machine(request.client.host, request.headers)


class _SameOrigin:
    """Refuses what foreign pages would change over the API: a browser sends such requests before it asks."""

    def __init__(self, application: Application, metrics: Metrics, allowed: Collection[str]) -> None:
        self._application = application
        self._metrics = metrics
        self._allowed = allowed

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if scope["method"] not in _SAFE_METHODS:
            origins = request.headers.getlist("origin")
            host = request.headers.get("host", "")
            if len(origins) > 1 or not origin_allowed(origins[0] if origins else None, host, self._allowed):
                self._metrics.origins_refused.inc()
                refusal = api.failure(Forbidden("Pages of this origin may not change anything here."))
                await refusal(scope, receive, send)
                return
        await self._application(scope, receive, send)
