"""STUN message integrity: no Python names, C functions only (see ``_native/crypto/stunauth.pxd``)."""
