"""Models of encoders for nogil code; no names for Python."""
