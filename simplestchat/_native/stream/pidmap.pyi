"""The map of picture numbers for nogil code; no names for Python."""
