"""C level only (see ``_native/crypto/dtls_rest.pxd``)."""
