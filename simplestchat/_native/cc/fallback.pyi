"""Receivers without transport-wide feedback: no Python names, C functions only (see ``_native/cc/fallback.pxd``)."""
