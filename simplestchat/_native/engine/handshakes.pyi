"""C level only; see the sources of the engine."""
