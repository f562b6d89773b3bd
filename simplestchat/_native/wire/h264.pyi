"""H264 payloads: no Python names, C functions only (see ``_native/wire/h264.pxd``)."""
