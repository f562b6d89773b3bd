"""SRTP: no Python names, C functions only (see ``_native/crypto/srtp.pxd``)."""
