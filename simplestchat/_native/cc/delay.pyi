"""The standing queue: no Python names, C functions only (see ``_native/cc/delay.pxd``)."""
