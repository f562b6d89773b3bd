"""The browser client: read once at start, served from memory, so that no request names a file."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

#: File names that hold a hash of their content (Vite's), which may be kept for ever.
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+\Z")
_ROOM_PAGE = re.compile(r"/r/[^/]+/?\Z")
_INDEX = "/index.html"
_COMPRESSIBLE = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
_MAX_FILE_BYTES = 32 * 1024 * 1024
_SMALLEST_COMPRESSED_BYTES = 1024

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

#: Types that a machine's own table may lack or have wrong.
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file with what goes into its response."""

    body: bytes
    compressed: bytes | None
    etag: str
    media_type: str
    cache_control: str


class StaticFiles:
    """All files of the browser client by request path."""

    def __init__(self, root: Path) -> None:
        self._assets: dict[str, Asset] = {}
        for path in sorted(root.rglob("*")) if root.is_dir() else ():
            # A link could lead out of the folder; what we build has none.
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_FILE_BYTES:
                self._assets["/" + path.relative_to(root).as_posix()] = _asset(path)

    @property
    def built(self) -> bool:
        """Whether there is a browser client at all."""
        return _INDEX in self._assets

    async def respond(self, request: Request) -> Response:
        """Answer a GET or HEAD: a file, the page at `/` and at `/r/<room>`, else 404."""
        path = request.url.path
        if path == "/" or _ROOM_PAGE.match(path):
            if not self.built:
                return Response("The browser client is not built; run `make build`.\n", 503, media_type="text/plain")
            path = _INDEX
        asset = self._assets.get(path)
        if asset is None:
            return Response("There is nothing here.\n", 404, media_type="text/plain")
        headers = {"etag": asset.etag, "cache-control": asset.cache_control}
        if asset.compressed is not None:
            headers["vary"] = "accept-encoding"
        known = request.headers.get("if-none-match", "")
        if asset.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        body = asset.body
        if asset.compressed is not None and _accepts_gzip(request.headers.get("accept-encoding", "")):
            body, headers["content-encoding"] = asset.compressed, "gzip"
            headers["etag"] = "W/" + asset.etag
        return Response(body, headers=headers, media_type=asset.media_type)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    compressed = None
    if media_type.startswith(_COMPRESSIBLE) and len(body) >= _SMALLEST_COMPRESSED_BYTES:
        compressed = gzip.compress(body, 9, mtime=0)
    return Asset(
        body=body,
        compressed=compressed,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        media_type=media_type,
        cache_control=FOR_EVER if _HASHED.search(path.name) else ASK_AGAIN,
    )


def _accepts_gzip(header: str) -> bool:
    for entry in header.lower().split(","):
        coding, _, weight = entry.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
