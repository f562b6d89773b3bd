"""Stamps of synthetic media for nogil code; no names for Python."""
