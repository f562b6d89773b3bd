"""Unpredictable but reproducible bytes for the engine (C level only)."""
