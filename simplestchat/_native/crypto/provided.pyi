"""libcrypto's ciphers without EVP's layer around them (see ``_native/crypto/provided.pyx``)."""
