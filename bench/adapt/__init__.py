"""Adaptation, proven in virtual time: the real engine, real transports, an emulated network, and bars that must be met."""
