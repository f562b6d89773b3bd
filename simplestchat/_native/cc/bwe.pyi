"""The estimate of one transport: no Python names, C functions only (see ``_native/cc/bwe.pxd``)."""
