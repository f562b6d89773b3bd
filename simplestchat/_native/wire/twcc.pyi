"""Transport-wide congestion control feedback: no Python names, C functions only (see ``_native/wire/twcc.pxd``)."""
