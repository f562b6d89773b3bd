"""AV1 payloads as far as keyframes: no Python names, C functions only (see ``_native/wire/av1.pxd``)."""
