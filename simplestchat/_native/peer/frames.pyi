"""Frames from parts, for nogil code; no names for Python."""
