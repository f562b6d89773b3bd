"""C level only; see the engine's sources."""
