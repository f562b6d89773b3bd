"""The dependency descriptor of AV1: no Python names, C functions only (see ``_native/wire/av1dd.pxd``)."""
