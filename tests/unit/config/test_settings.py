from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path

import pytest
from support.repository import ROOT

from simplestchat import config
from simplestchat.config import docs
from simplestchat.config.settings import (
    MAX_TRANSPORT_CONSUMERS,
    MAX_TRANSPORT_PRODUCERS,
    MAX_WORKER_TRANSPORTS,
    entries,
)
from simplestchat.errors import ConfigError


def load(*arguments: str, **environ: str) -> config.Settings:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    config.add_arguments(parser)
    return config.load(vars(parser.parse_args(arguments)), environ)


def test_defaults_are_those_of_the_contract() -> None:
    settings = load()
    assert (settings.web.host, settings.web.port, settings.web.tls) == ("127.0.0.1", 8080, "off")
    assert settings.media.rtc_port == 40000
    assert settings.media.workers >= 1
    assert settings.media.announce == ()
    assert settings.rooms.max_room_peers == 2000
    assert settings.rooms.max_consumers == 256
    assert settings.connections.message_burst == 500


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().web.port = 1  # type: ignore[misc]


def test_option_wins_over_variable_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    file.write_text('port = 1001\nhost = "::1"\nworkers = 3\n')
    settings = load("--config", str(file), "--port", "1003", SIMPLESTCHAT_PORT="1002", SIMPLESTCHAT_HOST="localhost")
    assert settings.web.port == 1003
    assert settings.web.host == "localhost"
    assert settings.media.workers == 3
    assert settings.media.rtc_port == 40000


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    file.write_text("port = 1001\n")
    assert load(SIMPLESTCHAT_CONFIG=str(file)).web.port == 1001


def test_lists_from_every_source(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    file.write_text('announce = ["192.0.2.1", "2001:DB8::1", "192.0.2.1"]\n')
    assert load("--config", str(file)).media.announce == ("192.0.2.1", "2001:db8::1")
    assert load(SIMPLESTCHAT_ANNOUNCE="192.0.2.1, 192.0.2.2").media.announce == ("192.0.2.1", "192.0.2.2")
    assert load("--announce", "192.0.2.1", "--announce", "192.0.2.2").media.announce == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://Chat.Example.org", "https://chat.example.org"),
        ("https://chat.example.org:443/", "https://chat.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_origins_are_spelt_as_browsers_do(given: str, normal: str) -> None:
    assert load("--allowed-origins", given).web.allowed_origins == (normal,)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "x"),
        ("PORT", ""),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "8_0"),
        ("PORT", "٣"),
        ("PORT", "9" * 10000),
        ("HOST", ""),
        ("HOST", "a b"),
        ("HOST", "1.2.3.4.5"),
        ("HOST", "300.0.0.1"),
        ("HOST", "http://localhost"),
        ("WORKERS", "0"),
        ("WORKERS", "1.5"),
        ("RTC_PORT", "65536"),
        ("ANNOUNCE", "localhost"),
        ("ANNOUNCE", "0.0.0.0"),
        ("ANNOUNCE", "224.0.0.1"),
        ("ANNOUNCE", "192.0.2.1,"),
        ("TLS", "on"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://*.example.org"),
        ("ALLOWED_ORIGINS", "chat.example.org"),
        ("ALLOWED_ORIGINS", "https://a.example/path"),
        ("ALLOWED_ORIGINS", "https://user@a.example"),
        ("ALLOWED_ORIGINS", "https://a.example:99999"),
        ("ALLOWED_ORIGINS", "null"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("MAX_ROOM_PEERS", "0"),
        ("TLS_CERT", ""),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_allowed(variable: str, value: str) -> None:
    entry = next(entry for entry in entries() if entry.variable == f"SIMPLESTCHAT_{variable}")
    with pytest.raises(ConfigError) as refused:
        load(**{entry.variable: value})
    message = str(refused.value)
    assert entry.variable in message
    assert repr(value) in message
    assert entry.kind.allowed in message
    with pytest.raises(ConfigError, match=entry.option):
        load(f"{entry.option}={value}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 80", ("prot in", "80", "did you mean port?")),
        ("port = '80'", ("port in", "'80'", "a whole number")),
        ("port = true", ("port in", "True")),
        ("port = 80.0", ("port in",)),
        ("host = 80", ("host in", "80")),
        ("announce = '192.0.2.1'", ("announce in",)),
        ("announce = [1]", ("announce in",)),
        ("[web]\nport = 80", ("web in",)),
        ("port = ", ("--config", "a TOML file")),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "chat.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load("--config", str(file))
    for word in words:
        assert word in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load("--config", str(tmp_path / "none.toml"))


def test_an_unknown_variable_is_refused_but_those_of_build_and_tests_are_not() -> None:
    with pytest.raises(ConfigError, match=r"SIMPLESTCHAT_PROT: '80' .*did you mean SIMPLESTCHAT_PORT"):
        load(SIMPLESTCHAT_PROT="80")
    load(SIMPLESTCHAT_BUILD="asan", SIMPLESTCHAT_ANNOTATE="1", SIMPLESTCHAT_TEST_SEED="1", PATH="/bin")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tls-cert", "a.pem"), "tls-cert: 'a.pem' .*tls-key"),
        (("--tls-key", "a.pem"), "tls-key: 'a.pem' .*tls-cert"),
        (("--tls-cert", "a", "--tls-key", "b", "--tls", "self-signed"), "tls: 'self-signed'"),
        (("--rtc-port", "65535", "--workers", "2"), "rtc-port: 65535 .*at most 65534"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(options: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(*options)


@pytest.mark.parametrize("source", ["option", "variable", "file"])
def test_contradictions_are_told_in_the_spelling_that_was_used(tmp_path: Path, source: str) -> None:
    file = tmp_path / "chat.toml"
    file.write_text("rtc-port = 65535\n" if source == "file" else "")
    options = {"option": ("--rtc-port", "65535")}.get(source, ())
    environ = {"SIMPLESTCHAT_RTC_PORT": "65535"} if source == "variable" else {}
    name = {"option": "--rtc-port", "variable": "SIMPLESTCHAT_RTC_PORT", "file": f"rtc-port in {file}"}[source]
    with pytest.raises(ConfigError, match=rf"^{re.escape(name)}: 65535 .*at most 65534"):
        load("--config", str(file), "--workers", "2", *options, **environ)


def test_spellings_are_remembered_and_defaults_have_that_of_the_option() -> None:
    settings = load("--port", "1", SIMPLESTCHAT_HOST="localhost")
    assert settings.spelling("port") == "--port"
    assert settings.spelling("host") == "SIMPLESTCHAT_HOST"
    assert settings.spelling("rtc_port") == "--rtc-port"


def test_every_setting_has_all_its_spellings_and_a_usable_default(tmp_path: Path) -> None:
    for entry in entries():
        assert entry.option == "--" + entry.key
        assert entry.variable == "SIMPLESTCHAT_" + entry.key.replace("-", "_").upper()
        default = entry.default()
        if isinstance(default, (str, int, Path)):
            assert entry.kind.parse(str(default)) == default


def test_the_page_of_settings_is_fresh() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == docs.render(), "run python -m simplestchat.config.docs"


def test_nothing_can_be_set_that_the_media_core_cannot_hold() -> None:
    caps = (ROOT / "_native/engine/entities.pxd").read_text()
    for name, cap in (
        ("MAX_TRANSPORTS", MAX_WORKER_TRANSPORTS),
        ("MAX_TRANSPORT_PRODUCERS", MAX_TRANSPORT_PRODUCERS),
        ("MAX_TRANSPORT_CONSUMERS", MAX_TRANSPORT_CONSUMERS),
    ):
        assert re.search(rf"^ +{name} = {cap}\b", caps, re.MULTILINE)
    for option in ("--chat-history=0", "--max-producers=33", "--max-consumers=2049", "--max-room-peers=16385"):
        with pytest.raises(config.SettingError, match=option.partition("=")[0]):
            load(option)
