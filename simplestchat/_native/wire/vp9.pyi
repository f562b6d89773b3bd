"""VP9 payload descriptors: no Python names, C functions only (see ``_native/wire/vp9.pxd``)."""
