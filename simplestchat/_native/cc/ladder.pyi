"""The choices of one want for nogil code; no names for Python."""
