"""The map of packet indices for nogil code; no names for Python."""
