"""ipsec-mb, loaded at run time: no Python names, C functions only (see ``_native/crypto/ipsecmb.pxd``)."""
