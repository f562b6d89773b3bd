"""The detector of overuse: no Python names, C functions only (see ``_native/cc/overuse.pxd``)."""
