"""Nonce reuse check: no Python names, C functions only (see ``_native/crypto/taint.pxd``)."""
