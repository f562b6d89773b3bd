# MESSAGE-INTEGRITY with short-term credentials (RFC 8489 sections 9.1 and 14.5).
from simplestchat._native.core.types cimport u8
from simplestchat._native.wire.stun cimport StunView

# OK or E_AUTH; constant-time comparison. E_AUTH also when there is no MESSAGE-INTEGRITY.
cdef int stun_verify(const u8* data, size_t size, const StunView* view, const u8* key, size_t key_len) noexcept nogil
# Appends MESSAGE-INTEGRITY and FINGERPRINT to the `size` bytes at `data`. Whole length or E_SPACE.
cdef int stun_seal(u8* data, size_t size, size_t cap, const u8* key, size_t key_len) noexcept nogil
