"""C level only (see ``_native/crypto/dtls_context.pxd``)."""
