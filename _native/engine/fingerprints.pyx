"""Fingerprints of certificates from and to Python; see fingerprints.pxd."""

from libc.string cimport memcpy

from simplestchat._native.core.types cimport u8
from simplestchat._native.crypto.dtls_context cimport HASH_SHA256, HASH_SHA384, HASH_SHA512, DtlsContext, dtls_context_fingerprint

from simplestchat._native.core.errors import MisuseError, raise_status

cdef dict _HASHES = {"sha-256": HASH_SHA256, "sha-384": HASH_SHA384, "sha-512": HASH_SHA512}
cdef dict _SIZES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}


cdef bytes _digest(str algorithm, str text):
    """The bytes of a fingerprint such as "AB:CD:…"."""
    try:
        digest = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        raise MisuseError("fingerprint is not hexadecimal bytes with colons between") from None
    if len(digest) != _SIZES[algorithm]:
        raise MisuseError(f"fingerprint has {len(digest)} bytes, {algorithm} has {_SIZES[algorithm]}")
    return digest


cdef int fingerprint_read(Digest* out, list fingerprints) except -1:
    cdef bytes digest
    known = [pair for pair in fingerprints if pair[0] in _HASHES]
    if not known:
        raise MisuseError(f"no fingerprint is one of {', '.join(_HASHES)}")
    algorithm, text = max(known, key=lambda pair: _SIZES[pair[0]])
    digest = _digest(algorithm, text)
    out.hash = _HASHES[algorithm]
    out.size = len(digest)
    memcpy(out.bytes, <const char*>digest, len(digest))
    return 0


cdef list fingerprints_of(DtlsContext* dtls):
    cdef u8 out[64]
    cdef int size
    found = []
    for name, code in _HASHES.items():
        size = dtls_context_fingerprint(dtls, code, out)
        if size < 0:
            raise_status(size, "the certificate's fingerprint")
        found.append((name, ":".join(f"{byte:02X}" for byte in out[:size])))
    return found
