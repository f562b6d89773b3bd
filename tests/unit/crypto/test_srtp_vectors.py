"""The published vectors of RFC 3711, RFC 6188 and RFC 7714."""

from __future__ import annotations

import pytest

from simplestchat._native.testing.probe_crypto import (
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    AES128_CM_SHA1_80,
    Srtp,
    srtp_keystream,
)

pytestmark = pytest.mark.usefixtures("srtp_backend")

LABEL_KEY, LABEL_AUTH, LABEL_SALT = 0, 1, 2

# RFC 3711 section B.3.
MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
CIPHER_KEY = bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087")
CIPHER_SALT = bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1")
AUTH_KEY = bytes.fromhex(
    "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE"
    "E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25"
    "6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2"
)

# RFC 3711 section B.2: keystream blocks by their counter.
CM_KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
CM_SALT = bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD")
CM_BLOCKS = {
    0x0000: "E03EAD0935C95E80E166B16DD92B4EB4",
    0x0001: "D23513162B02D0F72A43A2FE4A5F97AB",
    0x0002: "41E95B3BB0A2E8DD477901E4FCA894C0",
    0xFEFF: "EC8CDF7398607CB0F2D21675EA9EA1E4",
    0xFF00: "362B7C3C6773516318A077D7FC5073AE",
    0xFF01: "6A2CC3787889374FBEB4C81B17BA6C44",
}


@pytest.mark.parametrize(
    ("label", "expected"), [(LABEL_KEY, CIPHER_KEY), (LABEL_AUTH, AUTH_KEY), (LABEL_SALT, CIPHER_SALT)]
)
def test_rfc3711_b3_key_derivation(label: int, expected: bytes) -> None:
    assert srtp_keystream(MASTER_KEY, MASTER_SALT, label, len(expected)) == expected


@pytest.mark.parametrize(("counter", "block"), CM_BLOCKS.items(), ids=map(hex, CM_BLOCKS))
def test_rfc3711_b2_keystream(counter: int, block: str) -> None:
    # With label 0 the derivation function is the cipher of section B.2 with its salt as the IV.
    stream = srtp_keystream(CM_KEY, CM_SALT, 0, 16 * (counter + 1))
    assert stream[-16:] == bytes.fromhex(block)


def test_rfc3711_b2_as_a_packet() -> None:
    half = (CM_KEY, bytes(20), CM_SALT)
    header = bytes.fromhex("800000000000000000000000")
    sealed = Srtp(AES128_CM_SHA1_80, session=(half, half)).protect(header + bytes(48))
    assert sealed[:12] == header
    assert sealed[12:-10] == bytes.fromhex("".join(CM_BLOCKS[counter] for counter in range(3)))


# RFC 6188 section 7.2: the derivation that AEAD_AES_256_GCM uses too.
@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (LABEL_KEY, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"),
        (LABEL_AUTH, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"),
        (LABEL_SALT, "fa31791685ca444a9e07c6c64e93"),
    ],
)
def test_rfc6188_key_derivation_with_aes_256(label: int, expected: str) -> None:
    key = bytes.fromhex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6")
    salt = bytes.fromhex("3b04803de51ee7c96423ab5b78d2")
    assert srtp_keystream(key, salt, label, len(expected) // 2).hex() == expected


# RFC 7714 sections 16 and 17; the keys there are session keys.
GCM_SALT = bytes.fromhex("517569642070726f2071756f")
RTP = bytes.fromhex(
    "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
)
RTCP = bytes.fromhex(
    "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
)
RTCP_INDEX = 0x5D4
SRTP = {
    AEAD_AES_128_GCM: "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
    "899d7f27beb16a9152cf765ee4390cce",
    AEAD_AES_256_GCM: "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
    "7aa3db36dfffd6b0f9bb7878d7a76c13",
}
SRTP_TAG_ONLY = {
    AEAD_AES_128_GCM: "22493f82d2bce397e9d79e3b19aa4216",
    AEAD_AES_256_GCM: "a866d5910f887463067ceefec45215d4",
}
SRTCP = {
    AEAD_AES_128_GCM: "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b"
    "c84aa45896cf4d2fc5abf87245d9eade800005d4",
    AEAD_AES_256_GCM: "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad"
    "1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
}
SRTCP_TAG_ONLY = {
    AEAD_AES_128_GCM: "841dd9683dd78ec92ae58790125f62b3000005d4",
    AEAD_AES_256_GCM: "91db4afbfeee5a978fab4393ed2615fe000005d4",
}
BOTH = pytest.mark.parametrize("suite", [AEAD_AES_128_GCM, AEAD_AES_256_GCM])


def gcm(suite: int) -> Srtp:
    half = (bytes(range(16 if suite == AEAD_AES_128_GCM else 32)), b"", GCM_SALT)
    return Srtp(suite, session=(half, half))


@BOTH
def test_rfc7714_srtp_encryption_and_decryption(suite: int) -> None:
    sealed = RTP[:12] + bytes.fromhex(SRTP[suite])
    assert gcm(suite).protect(RTP) == sealed
    assert gcm(suite).unprotect(sealed) == RTP


@BOTH
def test_rfc7714_srtp_tagging_alone(suite: int) -> None:
    # All is authenticated and nothing encrypted: a header that is the whole packet.
    sealed = gcm(suite).protect(RTP, header_size=len(RTP))
    assert sealed == RTP + bytes.fromhex(SRTP_TAG_ONLY[suite])
    assert gcm(suite).unprotect(sealed, header_size=len(RTP)) == RTP


@BOTH
def test_rfc7714_srtcp_encryption_and_decryption(suite: int) -> None:
    sealed = RTCP[:8] + bytes.fromhex(SRTCP[suite])
    sender = gcm(suite)
    for _ in range(RTCP_INDEX):
        sender.protect_rtcp(RTCP)
    assert sender.protect_rtcp(RTCP) == sealed
    assert gcm(suite).unprotect_rtcp(sealed) == RTCP


@BOTH
def test_rfc7714_srtcp_tag_verification(suite: int) -> None:
    assert gcm(suite).unprotect_rtcp(RTCP + bytes.fromhex(SRTCP_TAG_ONLY[suite])) == RTCP
