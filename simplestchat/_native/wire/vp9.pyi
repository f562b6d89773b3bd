"""VP9 payloads as far as keyframes: no Python names, C functions only (see ``_native/wire/vp9.pxd``)."""
