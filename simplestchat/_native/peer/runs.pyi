"""C level only; see the sources of synthetic peers."""
