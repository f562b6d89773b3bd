"""The far end of an emulated flow: no Python names, C functions only (see ``_native/testing/cc_receiver.pxd``)."""
