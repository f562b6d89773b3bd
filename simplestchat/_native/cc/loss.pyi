"""The loss-based bound: no Python names, C functions only (see ``_native/cc/loss.pxd``)."""
