from __future__ import annotations

import re

import pytest

from simplestchat import __version__
from simplestchat.cli.main import main
from simplestchat.config.settings import entries


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"simplestchat {__version__}\n"


def test_help_names_every_setting_with_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    for entry in entries():
        assert entry.option in text
        assert entry.variable in text


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["serve", "extra"], ["serve", "--fly"], ["serve", "--port"], ["doctor", "--for", "fun"]]
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
