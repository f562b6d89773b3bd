"""docs/operating.md names options, metrics, drop reasons and close codes that there are."""

from __future__ import annotations

import re
from pathlib import Path

from support.fake_machine import machine, use
from support.repository import ROOT

from simplestchat.cli.doctor import examine
from simplestchat.config.settings import entries
from simplestchat.signaling.edge import CLOSE_CODES

TEXT = (ROOT / "docs/operating.md").read_text()


def test_options_exist() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT))
    assert named <= {entry.option for entry in entries()} | {"--config", "--for", "--json"}


def test_sample_of_the_doctor_has_its_checks_in_their_order(tmp_path: Path) -> None:
    sample = re.search(r"```text\n(.*?)\n\n", TEXT, re.DOTALL)
    assert sample is not None
    shown = re.findall(r"^(?:green|amber|red  )  (.{19}) \S", sample[1], re.MULTILINE)
    assert [name.strip() for name in shown] == [finding.name for finding in examine(machine(tmp_path), use())]


def test_keys_of_the_sample_file_exist() -> None:
    sample = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert sample is not None
    assert set(re.findall(r"^([a-z-]+) =", sample[1], re.MULTILINE)) <= {entry.key for entry in entries()}


def test_metrics_and_reasons_in_the_text_are_in_the_tables() -> None:
    listed = set(re.findall(r"^\| `(simplestchat_\w+)` \|", TEXT, re.MULTILINE))
    assert {name.removesuffix("_bucket") for name in re.findall(r"simplestchat_\w+", TEXT)} <= listed
    reasons = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert set(re.findall(r'reason="(\w+)"', TEXT)) <= reasons


def test_close_codes_are_those_of_the_code() -> None:
    named = {int(code) for code in re.findall(r"closed with (4\d{3})", TEXT)}
    assert named == {code for code in CLOSE_CODES if code >= 4000}


def test_words_that_the_program_says_are_said() -> None:
    said = "".join(path.read_text() for path in (ROOT / "simplestchat").rglob("*.py"))
    for words in ("cannot be listened on", "the media workers could not start", "is not allowed here; expected"):
        assert words in TEXT
        assert words in said
