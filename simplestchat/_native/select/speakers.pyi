"""Who speaks and who is heard, for nogil code; no names for Python."""
