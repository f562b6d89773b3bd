"""The delay-based rate: no Python names, C functions only (see ``_native/cc/aimd.pxd``)."""
