"""Which library encrypts media: what is chosen, and that a library which is missing, other or wrong is not."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.repository import ROOT

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.crypto import srtp_backend
from simplestchat._native.testing.probe_crypto import SUITES, Srtp, seal_together, srtp_sizes

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="ipsec-mb is for x86-64 only")

NAMES = {"AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80"}
#: A library of that name whose ciphers copy: {version} and {error} are what it says of itself.
OTHER = """
#include <string.h>
#include "crypto/ipsecmb.h"
static void pre(const void *key, void *prepared) {{ }}
static void copy(const void *key, void *state, uint8_t *out, const uint8_t *in, uint64_t size, const uint8_t *iv,
                 const uint8_t *aad, uint64_t aad_size, uint8_t *tag, uint64_t tag_size) {{
    memcpy(out, in, size);
    memset(tag, 7, tag_size);
}}
uint32_t imb_get_version(void) {{ return {version}; }}
MbManager *make(uint64_t flags) __asm__("alloc_mb_mgr");
MbManager *make(uint64_t flags) {{ static MbManager m; return &m; }}
void begin(MbManager *m, int *arch) __asm__("init_mb_mgr_auto");
void begin(MbManager *m, int *arch) {{
    for (int i = 0; i < 3; i++) {{
        m->gcm_pre[i] = pre;
        m->gcm_enc[i] = copy;
        m->gcm_dec[i] = copy;
    }}
    m->error = {error};
}}
"""
ASK = (
    "from simplestchat._native.crypto import srtp_backend\n"
    "print(srtp_backend.problem())\n"
    "srtp_backend.choose('auto')\n"
    "print(set(srtp_backend.chosen().values()))\n"
    "try:\n    srtp_backend.choose('ipsec-mb')\n"
    "except Exception as exc:\n    print(type(exc).__name__, exc)\n"
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    srtp_backend.choose("openssl")


def ask(folder: Path) -> list[str]:
    """What a process says that finds its libraries in this folder first."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.splitlines()


def build(folder: Path, version: str, error: int = 0) -> None:
    source = folder / "other.c"
    source.write_text(OTHER.format(version=version, error=error))
    command = [
        "cc",
        "-shared",
        "-fPIC",
        "-I",
        str(ROOT / "_native"),
        "-o",
        str(folder / "libIPSec_MB.so.1"),
        str(source),
    ]
    subprocess.run(command, check=True)


def test_the_one_that_is_installed_agrees_and_is_taken() -> None:
    assert srtp_backend.problem() is None
    srtp_backend.choose("auto")
    assert srtp_backend.chosen() == dict.fromkeys(NAMES, "ipsec-mb")
    assert srtp_backend.version() is not None


def test_openssl_alone_when_it_is_asked_for() -> None:
    srtp_backend.choose("openssl")
    assert srtp_backend.chosen() == dict.fromkeys(NAMES, "openssl")


def test_a_problem_that_is_looked_for_changes_nothing_that_was_chosen() -> None:
    srtp_backend.choose("ipsec-mb")
    assert srtp_backend.problem() is None
    assert set(srtp_backend.chosen().values()) == {"ipsec-mb"}


def test_another_word_is_refused() -> None:
    with pytest.raises(MisuseError, match="auto, openssl, ipsec-mb"):
        srtp_backend.choose("libsrtp")


def refusal(why: str) -> list[str]:
    return [why, "{'openssl'}", f"MisuseError ipsec-mb cannot be used: {why}"]


def test_without_the_library_openssl_does_it_and_asking_for_it_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "libIPSec_MB.so.1").write_text("no library")
    assert ask(tmp_path) == refusal("libIPSec_MB.so.1 is not installed (Debian: libipsec-mb1)")


@pytest.mark.parametrize("version", ["0x10000", "0x10600", "0x20000"])
def test_a_version_whose_abi_is_not_known_is_not_used(tmp_path: Path, version: str) -> None:
    build(tmp_path, version)
    assert ask(tmp_path) == refusal("libIPSec_MB.so.1 is of another version than 1.1 to 1.5")


def test_one_that_does_not_work_on_the_processor_is_not_used(tmp_path: Path) -> None:
    build(tmp_path, "0x10300", error=2)
    assert ask(tmp_path) == refusal("it does not work on this processor")


def test_one_that_seals_otherwise_than_openssl_is_not_used(tmp_path: Path) -> None:
    build(tmp_path, "0x10500")
    assert ask(tmp_path) == refusal("it does not agree with OpenSSL about AEAD_AES_128_GCM")


@pytest.mark.parametrize("suite", SUITES)
def test_contexts_keep_the_library_that_they_were_made_for(suite: int) -> None:
    key_size, salt_size, _tag = srtp_sizes(suite)
    keys = suite, bytes(range(key_size)), bytes(range(salt_size))
    older = Srtp(*keys)
    srtp_backend.choose("ipsec-mb")
    newer = Srtp(*keys)
    srtp_backend.choose("openssl")
    jobs = [
        (sender, bytes([128, 96, 0, at]) + bytes(300 + at), at, 0, 0) for at in range(20) for sender in (older, newer)
    ]
    sealed = seal_together(jobs)
    assert sealed[::2] == sealed[1::2]
    srtp_backend.choose("ipsec-mb")
    assert seal_together(jobs) == sealed
