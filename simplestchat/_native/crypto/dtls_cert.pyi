"""The worker's DTLS certificate: no Python names, C functions only (see ``_native/crypto/dtls_cert.pxd``)."""
