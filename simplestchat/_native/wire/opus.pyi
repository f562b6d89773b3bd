"""Opus packets: no Python names, C functions only (see ``_native/wire/opus.pxd``)."""
