"""SRTCP: no Python names, C functions only (see ``_native/crypto/srtcp.pxd``)."""
