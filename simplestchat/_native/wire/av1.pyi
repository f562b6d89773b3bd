"""AV1 payloads: no Python names, C functions only (see ``_native/wire/av1.pxd``)."""
