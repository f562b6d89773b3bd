from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import trio
from starlette.requests import Request
from starlette.responses import Response

from simplestchat.server.static import StaticFiles

SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def static(tmp_path: Path) -> StaticFiles:
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>SimplestChat</title>")
    (root / "assets" / "main-B7ckictM.js").write_bytes(SCRIPT)
    (root / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    return StaticFiles(root)


def get(static: StaticFiles, path: str, **headers: str) -> Response:
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("h", 80),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    return trio.run(static.respond, Request(scope))


@pytest.mark.parametrize("path", ["/", "/index.html", "/r/room", "/r/room/", "/r/%C3%A9"])
def test_the_page(static: StaticFiles, path: str) -> None:
    response = get(static, path)
    assert response.status_code == 200
    assert b"<title>SimplestChat</title>" in response.body
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


def test_hashed_files_are_kept_for_ever_and_others_asked_for_again(static: StaticFiles) -> None:
    assert "immutable" in get(static, "/assets/main-B7ckictM.js").headers["cache-control"]
    assert get(static, "/assets/main-B7ckictM.js").headers["content-type"].startswith("text/javascript")
    assert get(static, "/icon.svg").headers["cache-control"] == "no-cache"
    assert get(static, "/icon.svg").headers["content-type"].startswith("image/svg+xml")


def test_a_known_etag_spares_the_body(static: StaticFiles) -> None:
    etag = get(static, "/").headers["etag"]
    for known in (etag, f'"x", {etag}', f"W/{etag}"):
        response = get(static, "/", if_none_match=known)
        assert (response.status_code, response.body) == (304, b"")
        assert response.headers["etag"] == etag
    assert get(static, "/", if_none_match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("accept", "compressed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("GZIP", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_text_is_compressed_for_who_takes_it(static: StaticFiles, accept: str, compressed: bool) -> None:
    response = get(static, "/assets/main-B7ckictM.js", accept_encoding=accept)
    assert response.headers["vary"] == "accept-encoding"
    assert (response.headers.get("content-encoding") == "gzip") is compressed
    assert (gzip.decompress(bytes(response.body)) if compressed else response.body) == SCRIPT


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/link.txt", "/assets", "/assets/", "//index.html", "/r/", "/r/a/b", "/INDEX.HTML", "/\0"],
)
def test_nothing_else_is_there(static: StaticFiles, path: str) -> None:
    response = get(static, path)
    assert response.status_code == 404
    assert b"secret" not in response.body


def test_a_client_that_is_not_built_says_how(tmp_path: Path) -> None:
    response = get(StaticFiles(tmp_path / "none"), "/")
    assert response.status_code == 503
    assert b"make build" in response.body
