"""Histograms of spans for nogil code; no names for Python."""
