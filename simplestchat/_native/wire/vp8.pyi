"""VP8 payload descriptors: no Python names, C functions only (see ``_native/wire/vp8.pxd``)."""
