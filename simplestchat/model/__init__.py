"""Frozen data that more than one layer speaks of; it imports nothing of ours."""
