"""An emulated bottleneck: no Python names, C functions only (see ``_native/testing/cc_path.pxd``)."""
