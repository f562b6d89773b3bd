"""Sockets of a crowd: no Python names, C functions only (see ``_native/io/sockets.pxd``)."""
