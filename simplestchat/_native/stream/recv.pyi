"""Reception statistics for nogil code; no names for Python."""
