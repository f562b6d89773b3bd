"""The division of a receiver's bandwidth for nogil code; no names for Python."""
