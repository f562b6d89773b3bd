"""Which packets anybody of this process got, for nogil code; no names for Python."""
