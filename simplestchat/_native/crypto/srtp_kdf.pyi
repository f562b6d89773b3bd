"""SRTP key derivation: no Python names, C functions only (see ``_native/crypto/srtp_kdf.pxd``)."""
