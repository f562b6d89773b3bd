"""The fuzz driver: no Python names, C functions only (see ``_native/testing/fuzz.pxd``)."""
