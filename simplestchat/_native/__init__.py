"""The compiled media core. Sources live in ``_native/`` at the top of the repository."""
