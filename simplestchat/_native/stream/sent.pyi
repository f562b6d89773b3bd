"""The ring of sent packets for nogil code; no names for Python."""
