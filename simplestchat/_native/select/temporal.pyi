"""The choice of layers for nogil code; no names for Python."""
