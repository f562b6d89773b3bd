"""Hash tables for nogil code; no names for Python."""
