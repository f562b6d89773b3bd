"""Probing: no Python names, C functions only (see ``_native/cc/probe.pxd``)."""
