"""Emulated network paths: no Python names, C functions only (see ``_native/peer/link.pxd``)."""
