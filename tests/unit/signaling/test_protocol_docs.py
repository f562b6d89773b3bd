"""The written reference, the OpenRPC document and the browser's types are what the structs say."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from simplestchat.signaling.docs.__main__ import OUTPUTS
from simplestchat.signaling.docs.outputs import ROOT, stale, write
from simplestchat.signaling.docs.schema import components, errors
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.registry import METHODS, NOTICES


def test_nothing_is_stale() -> None:
    assert stale(OUTPUTS, ROOT) == [], "run python -m simplestchat.signaling.docs"


def test_the_check_finds_what_is_stale(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    command = [sys.executable, "-m", "simplestchat.signaling.docs", "--check", "--root", str(tmp_path)]
    missing = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert missing.returncode == 1
    assert "docs/protocol.md is stale" in missing.stderr
    write(OUTPUTS, tmp_path)
    assert subprocess.run(command, capture_output=True, cwd=ROOT, check=False).returncode == 0
    (tmp_path / "docs/openrpc.json").write_text("{}")
    assert stale(OUTPUTS, tmp_path) == ["docs/openrpc.json"]


def test_everything_is_described() -> None:
    text = OUTPUTS["docs/protocol.md"]()
    for name in (*METHODS, *NOTICES):
        assert f"`{name}`" in text
    for error in errors():
        assert f"`{error.reason}`" in text
    for limit in Limits.describe():
        assert f"| `{limit.name}` | {limit.default:,d} | " in text
        assert limit.option in text
        assert limit.note
    document = json.loads(OUTPUTS["docs/openrpc.json"]())
    assert [method["name"] for method in document["methods"]] == list(METHODS)
    assert [notice["name"] for notice in document["x-notifications"]] == list(NOTICES)
    types = OUTPUTS["simplestchat/web/src/protocol.ts"]()
    for name in (*METHODS, *NOTICES):
        assert f'"{name}"' in types


def test_every_reference_leads_somewhere() -> None:
    document = json.loads(OUTPUTS["docs/openrpc.json"]())
    known = document["components"]["schemas"]

    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            found = set().union(*(references(one) for one in value.values()))
            return found | ({value["$ref"]} if "$ref" in value else set())
        if isinstance(value, list):
            return set().union(*(references(one) for one in value))
        return set()

    for reference in references(document):
        assert reference.rpartition("/")[2] in known


def test_error_codes_are_ours_or_json_rpcs_and_reasons_are_unique() -> None:
    reasons = [error.reason for error in errors()]
    assert len(reasons) == len(set(reasons))
    for error in errors():
        assert 4000 <= error.code <= 4999 or -32768 <= error.code <= -32000
        assert error.default.endswith((".", "…}."))
    promised = {
        "parse_error invalid_request method_not_found invalid_params not_in_room room_full room_locked wrong_password",
        "forbidden not_found rate_limited too_large incompatible_codecs quota draining internal",
    }
    assert set(" ".join(promised).split()) <= set(reasons)


def test_schemas_use_no_null_that_means_absence() -> None:
    nullable = {
        f"{name}.{key}"
        for name, schema in components().items()
        for key, field in schema["properties"].items()
        if b'"null"' in msgspec.json.encode(field)
    }
    assert nullable == {"RoomUpdate.password", "RoomUpdate.loudest"}
