"""The packet cache for nogil code; no names for Python."""
