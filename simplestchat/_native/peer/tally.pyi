"""Counting an encoding's packets, for nogil code; no names for Python."""
