"""STUN messages: no Python names, C functions only (see ``_native/wire/stun.pxd``)."""
