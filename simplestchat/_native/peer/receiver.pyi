"""Subscribed tracks of synthetic users for nogil code; no names for Python."""
