"""Adaptation in virtual time: the real engine and real transports on an emulated network, and bars to be met."""
