"""Senders on an emulated path: no Python names, C functions only (see ``_native/testing/cc_flow.pxd``)."""
