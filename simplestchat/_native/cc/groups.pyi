"""Packets that left together: no Python names, C functions only (see ``_native/cc/groups.pxd``)."""
