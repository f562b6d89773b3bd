"""The licences that a wheel carries are those of what is in it."""

from __future__ import annotations

import runpy

from support.repository import ROOT

LICENSES = runpy.run_path(str(ROOT / "scripts/licenses.py"))


def test_every_package_of_the_browser_client_is_told() -> None:
    told = LICENSES["WRITTEN"].read_text()
    wanted = [LICENSES["title"](folder, entry) for folder, entry in LICENSES["packages"]().items()]
    assert wanted
    assert not [line for line in wanted if line not in told.splitlines()], "run `make docs`"
    assert told.count(LICENSES["RULE"]) == len(wanted), "run `make docs`"
    assert "carries no text" not in told


def test_openssl_is_told() -> None:
    assert "Apache License" in (ROOT / "licenses/OpenSSL.txt").read_text()
