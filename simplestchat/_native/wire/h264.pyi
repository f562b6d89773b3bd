"""H264 payloads as far as keyframes: no Python names, C functions only (see ``_native/wire/h264.pxd``)."""
