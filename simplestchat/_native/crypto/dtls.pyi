"""DTLS 1.2: no Python names, C functions only (see ``_native/crypto/dtls.pxd``)."""
