"""RTP headers and header extensions: no Python names, C functions only (see ``_native/wire/rtp.pxd``)."""
