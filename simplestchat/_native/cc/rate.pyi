"""Bytes over the last half second: no Python names, C functions only (see ``_native/cc/rate.pxd``)."""
