"""The list of missing packets for nogil code; no names for Python."""
