"""The macro benchmarks' parts: a server's process on one core, a publisher and receivers for any server elsewhere."""
