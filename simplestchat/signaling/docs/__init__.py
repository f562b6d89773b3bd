"""Writes the protocol's reference out of its structs: ``python -m simplestchat.signaling.docs [--check]``."""
