"""What callgrind wrote is read: a function apart from its calls, Cython's names as their sources have them."""

from __future__ import annotations

import pytest
from compare.callgrind import Function, plain_name, read_profile

FILE = """\
# callgrind format
version: 1
desc: Trigger: Client Request: rtp with extensions

positions: line
events: Ir sysCount sysTime
summary: 999

ob=/tree/consumer.cpython-311-x86_64-linux-gnu.so
fl=???
fn=__pyx_f_12simplestchat_7_native_6engine_8consumer_consumer_forward
0 100
cob=/lib/libcrypto.so.3
cfi=???
cfn=EVP_EncryptUpdate
calls=2 0
0 900 3
cfi=???
cfn=helper
calls=1 0
0 50
0 5

ob=/lib/libcrypto.so.3
fl=???
fn=EVP_EncryptUpdate
0 897
0 3 3 12

ob=/tree/consumer.cpython-311-x86_64-linux-gnu.so
fn=helper
0 50
"""
FORWARD = Function("consumer", "consumer_forward")
UPDATE = Function("libcrypto", "EVP_EncryptUpdate")
HELPER = Function("consumer", "helper")


def test_reads_a_file() -> None:
    profile = read_profile(FILE.splitlines())
    assert profile.name == "rtp with extensions"
    assert profile.own == {FORWARD: 105, UPDATE: 900, HELPER: 50}
    assert profile.calls == {(FORWARD, UPDATE): 900, (FORWARD, HELPER): 50}
    assert profile.instructions == 1055
    assert profile.calls_to_kernel == 3


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("__pyx_f_12simplestchat_7_native_6crypto_4srtp_srtp_seal", "srtp_seal"),
        ("__pyx_f_12simplestchat_7_native_6crypto_4srtp__open_at", "_open_at"),
        ("__pyx_f_12simplestchat_7_native_6engine_5shard_5Shard_receive", "receive"),
        ("__pyx_pw_12simplestchat_7_native_7testing_12bench_engine_4Room_5run", "run"),
        ("EVP_EncryptUpdate", "EVP_EncryptUpdate"),
        ("walk'2", "walk"),
    ],
)
def test_names_are_plain(symbol: str, name: str) -> None:
    assert plain_name(symbol) == name
