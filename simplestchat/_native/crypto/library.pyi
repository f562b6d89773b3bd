"""C level only (see ``_native/crypto/library.pxd``)."""
