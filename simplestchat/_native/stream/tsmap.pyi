"""The map of timestamps for nogil code; no names for Python."""
