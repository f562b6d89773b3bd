"""Packets of one encoding, for nogil code; no names for Python."""
