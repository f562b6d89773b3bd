"""The HTTP application as clients of the API see it, without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from simplestchat.media.service import MediaService
from simplestchat.metrics import Metrics
from simplestchat.server.application import make_application
from simplestchat.server.static import StaticFiles
from simplestchat.signaling.hub import Hub
from simplestchat.signaling.limits import Limits


class Api:
    """An application over a hub of its own; no worker is running."""

    def __init__(self, folder: Path, *, metrics_for: str = "local", client: str = "127.0.0.1", **limits: int) -> None:
        self._client = client
        self.ready = True
        media = MediaService(
            workers=1, spares=0, rtc_port=0, announce=(), handler=lambda event: self.hub.on_media_event(event)
        )
        self.hub = Hub(media, clock=lambda: 0.0, wall_ms=lambda: 1, start=lambda job: None, limits=Limits(**limits))
        self.metrics = Metrics()
        self._application = make_application(
            self.hub,
            self.metrics,
            StaticFiles(folder),
            ready=lambda: self.ready,
            refresh=media.refresh_readings,
            allowed_origins=(),
            metrics_for=metrics_for,
        )

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def main() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._application, client=(self._client, 1))  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
                return await client.request(method, path, **options)

        return trio.run(main)


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)


def reason(response: httpx.Response) -> str:
    error = response.json()["error"]
    assert error["message"]
    assert isinstance(error["code"], int)
    return str(error["data"]["reason"])


def test_a_room_from_its_making_to_its_closing(api: Api) -> None:
    made = api("POST", "/api/rooms", json={"id": "our-room", "name": "Our room", "public": True})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    owner = {"authorization": f"Bearer {made.json()['ownerToken']}"}
    assert [room["id"] for room in api("GET", "/api/rooms").json()["rooms"]] == ["our-room"]
    assert api("GET", "/api/rooms?query=nothing").json()["rooms"] == []
    assert api("GET", "/api/rooms/our-room").json()["name"] == "Our room"
    changed = api(
        "PATCH", "/api/rooms/our-room", json={"name": "New", "locked": True, "audioOnly": True}, headers=owner
    )
    assert (changed.status_code, changed.json()["name"], changed.json()["locked"]) == (200, "New", True)
    closed = api("DELETE", "/api/rooms/our-room", headers=owner)
    assert (closed.status_code, closed.content) == (204, b"")
    assert reason(api("GET", "/api/rooms/our-room")) == "not_found"


def test_asking_whether_a_room_is_there_is_no_error(api: Api) -> None:
    api("POST", "/api/rooms", json={"id": "by-link-only"})
    assert [room["id"] for room in api("GET", "/api/rooms?id=by-link-only").json()["rooms"]] == ["by-link-only"]
    for absent in ("by-link", "", "../x", "x" * 1000):
        asked = api("GET", "/api/rooms", params={"id": absent})
        assert (asked.status_code, asked.json()) == (200, {"rooms": []})


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Bearer", "Basic abc", "Bearer  "])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_only_the_owner_manages_a_room(api: Api, method: str, token: str | None) -> None:
    api("POST", "/api/rooms", json={"id": "our-room"})
    headers = {} if token is None else {"authorization": token}
    refused = api(method, "/api/rooms/our-room", headers=headers)
    assert (refused.status_code, reason(refused)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("request_made", "status", "why"),
    [
        (lambda api: api("POST", "/api/rooms", content=b"{", headers=JSON), 400, "parse_error"),
        (lambda api: api("POST", "/api/rooms", content=b'{"x":' + b"[" * 30000, headers=JSON), 400, "parse_error"),
        (lambda api: api("POST", "/api/rooms", content=b"\xff", headers=JSON), 400, "parse_error"),
        (lambda api: api("POST", "/api/rooms", json=[]), 400, "invalid_params"),
        (lambda api: api("POST", "/api/rooms", json={"public": "yes"}), 400, "invalid_params"),
        (lambda api: api("POST", "/api/rooms", json={"id": "../x"}), 400, "invalid_params"),
        (lambda api: api("POST", "/api/rooms", json={"name": "x" * 10_000}), 400, "invalid_params"),
        (lambda api: api("POST", "/api/rooms", data={"name": "form"}), 400, "invalid_params"),
        (lambda api: api("POST", "/api/rooms", headers={"origin": "http://evil"}), 403, "forbidden"),
        (lambda api: api("GET", "/api/rooms?cursor=x"), 400, "invalid_params"),
        (lambda api: api("GET", "/api/rooms?query=" + "x" * 1000), 400, "invalid_params"),
        (lambda api: api("GET", "/api/rooms/none"), 404, "not_found"),
        (lambda api: api("PUT", "/api/rooms"), 405, "invalid_request"),
        (lambda api: api("POST", "/healthz"), 405, "invalid_request"),
    ],
)
def test_errors_have_the_words_of_the_protocol(
    api: Api, request_made: Callable[[Api], httpx.Response], status: int, why: str
) -> None:
    response = request_made(api)
    assert (response.status_code, reason(response)) == (status, why)
    assert response.headers["content-type"] == "application/json"


JSON = {"content-type": "application/json"}


def test_a_room_that_is_there_and_one_too_many(tmp_path: Path) -> None:
    api = Api(tmp_path, rooms=1)
    assert api("POST", "/api/rooms", json={"id": "a"}).status_code == 201
    assert reason(api("POST", "/api/rooms", json={"id": "a"})) == "conflict"
    refused = api("POST", "/api/rooms", json={"id": "b"})
    assert (refused.status_code, reason(refused)) == (429, "quota")


def test_no_room_is_made_while_draining(api: Api) -> None:
    api.hub.drain(1)
    refused = api("POST", "/api/rooms")
    assert (refused.status_code, reason(refused)) == (503, "draining")


def test_readiness_is_not_health(api: Api) -> None:
    api.ready = False
    assert api("GET", "/readyz").status_code == 503
    assert api("GET", "/healthz").status_code == 200


def test_a_fault_of_ours_keeps_its_details_to_itself(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.hub, "list_rooms", fail)
    with pytest.raises(RuntimeError):  # the connection's edge answers and logs it
        api("GET", "/api/rooms")


def test_metrics_name_no_room_and_no_person(api: Api) -> None:
    api("POST", "/api/rooms", json={"id": "hidden-room", "name": "Hidden name", "public": True})
    api.metrics.watch_rooms(api.hub.census)
    api.metrics.watch_refusals(lambda: {"rate_limited": 3})
    text = api("GET", "/metrics").text
    assert "simplestchat_rooms 1.0" in text
    assert 'simplestchat_requests_refused_total{reason="rate_limited"} 3.0' in text
    assert "idden" not in text


@pytest.mark.parametrize(
    ("metrics_for", "client", "headers", "expected"),
    [
        ("local", "127.0.0.1", {}, 200),
        ("local", "::1", {}, 200),
        ("local", "::ffff:127.0.0.1", {}, 200),
        ("local", "192.0.2.1", {}, 403),
        ("local", "fe80::1%eth0", {}, 403),
        ("local", "127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, 403),
        ("local", "127.0.0.1", {"forwarded": "for=192.0.2.1"}, 403),
        ("public", "192.0.2.1", {}, 200),
        ("off", "127.0.0.1", {}, 404),
    ],
)
def test_metrics_are_shown_to_whom_they_are_for(
    tmp_path: Path, metrics_for: str, client: str, headers: dict[str, str], expected: int
) -> None:
    response = Api(tmp_path, metrics_for=metrics_for, client=client)("GET", "/metrics", headers=headers)
    assert response.status_code == expected
    if expected != 200:
        assert reason(response) in ("forbidden", "not_found")
        assert "--metrics" in response.json()["error"]["message"]


NOTHING = dict.fromkeys(
    ("bytesIn", "bytesOut", "packetsIn", "packetsOut", "mediaIn", "mediaExpected", "reportedLost", "producers"), 0
)


@pytest.mark.parametrize(
    ("metrics_for", "client", "headers", "expected"),
    [
        ("local", "127.0.0.1", {}, 200),
        ("local", "192.0.2.1", {}, 403),
        ("local", "127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, 403),
        ("public", "127.0.0.1", {}, 200),
        ("public", "192.0.2.1", {}, 403),
        ("off", "127.0.0.1", {}, 403),
    ],
)
def test_a_rooms_traffic_is_for_its_owner_and_for_this_machine(
    tmp_path: Path, metrics_for: str, client: str, headers: dict[str, str], expected: int
) -> None:
    api = Api(tmp_path, metrics_for=metrics_for, client=client)
    token = api("POST", "/api/rooms", json={"id": "our-room"}).json()["ownerToken"]
    path = "/api/rooms/our-room/stats"
    assert api("GET", path, headers=headers).status_code == expected
    assert api("GET", path, headers={**headers, "authorization": "Bearer wrong"}).status_code == expected
    told = api("GET", path, headers={**headers, "authorization": f"Bearer {token}"})
    assert told.status_code == 200
    assert told.json() == {"id": "our-room", **NOTHING, "consumers": 0, "peers": []}
    assert api("POST", path, headers=headers).status_code == 405


def test_the_traffic_of_a_room_that_is_not_there(api: Api) -> None:
    response = api("GET", "/api/rooms/nowhere/stats")
    assert (response.status_code, reason(response)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/x", "/api/rooms/a/b"])
def test_a_path_that_the_api_does_not_have_is_told_in_its_own_shape(api: Api, path: str) -> None:
    response = api("GET", path)
    assert response.status_code == 404
    assert reason(response) == "not_found"
    assert api("PUT", "/api/rooms").status_code == 405


def test_json_is_what_it_says(api: Api) -> None:
    assert json.loads(api("GET", "/api/rooms").content) == {"rooms": []}


def test_what_the_api_does_not_have_is_answered_like_an_error_of_it(api: Api) -> None:
    for method, path, status, why in (
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/rooms/a/b", 404, "not_found"),
        ("POST", "/api/nothing", 405, "invalid_request"),
        ("PUT", "/api/rooms", 405, "invalid_request"),
    ):
        answer = api(method, path)
        assert (answer.status_code, reason(answer)) == (status, why), path
