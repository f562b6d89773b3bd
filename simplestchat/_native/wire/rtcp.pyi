"""RTCP compounds: no Python names, C functions only (see ``_native/wire/rtcp.pxd``)."""
