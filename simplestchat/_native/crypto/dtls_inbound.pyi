"""Reassembly of DTLS messages: no Python names, C functions only (see ``_native/crypto/dtls_inbound.pxd``)."""
