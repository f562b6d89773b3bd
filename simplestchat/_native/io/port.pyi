"""C level only; see the sources of the I/O layer."""
