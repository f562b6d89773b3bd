"""C level only: connected transports without a handshake."""
