"""What left lately on one transport: no Python names, C functions only (see ``_native/cc/history.pxd``)."""
