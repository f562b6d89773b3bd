"""Redundant audio: no Python names, C functions only (see ``_native/wire/red.pxd``)."""
