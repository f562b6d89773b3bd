"""What is between libssl and datagrams: no Python names, C functions only (see ``_native/crypto/dtls_link.pxd``)."""
