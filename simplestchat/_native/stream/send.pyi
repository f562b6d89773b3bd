"""State of a sent stream for nogil code; no names for Python."""
