# What is left of a DTLS association when its handshake is over and libssl's part of it is freed: enough to repeat the last flight,
# and to say and to hear goodbye.
#
# Record protection of DTLS 1.2 with AEAD ciphers (RFC 5288, RFC 7905), for the few small records that still pass. Numbers and
# nonces go on where libssl's ended, so that none is used twice under one key.
from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.crypto.openssl cimport SSL

cdef enum:
    REST_MAX_PLAIN = 64          # of one record: an alert has 2 bytes, a Finished 24
    REST_MAX_RECORD = 128        # more than REST_MAX_PLAIN bytes become

cdef struct RestHalf:
    u8 key[32]
    u8 iv[12]

cdef struct DtlsRest:
    RestHalf ours
    RestHalf theirs
    u64 next_plain               # number of our next record of epoch 0
    u64 next_sealed              # likewise of epoch 1
    u64 next_nonce               # AES-GCM's explicit nonce; libssl began somewhere
    u8 cipher
    u8 finished_size             # 0: the last flight was not ours
    u8 finished[REST_MAX_PLAIN]

# Takes keys and numbers over from a finished handshake. `flight` is what libssl wrote last, not yet sent. OK, or E_UNSUPPORTED for a cipher
# that is none of ours.
cdef int rest_init(DtlsRest* rest, SSL* ssl, bint client, const u64* next_numbers, u64 next_nonce, const u8* flight, u32 size) noexcept nogil
cdef void rest_wipe(DtlsRest* rest) noexcept nogil
# A record of epoch 1: its plaintext in `out` (REST_MAX_PLAIN bytes), its size, or E_AUTH.
cdef int rest_open(const DtlsRest* rest, const u8* record, u32 size, u8* out) noexcept nogil
# One record of ours into `out` (REST_MAX_RECORD bytes): its size, or < 0.
cdef int rest_seal(DtlsRest* rest, u8 type, const u8* plain, u32 size, u8* out) noexcept nogil
# The last flight once more, ChangeCipherSpec and Finished, into `out` (2 * REST_MAX_RECORD bytes): its size, 0 when it was not ours, or < 0.
cdef int rest_repeat(DtlsRest* rest, u8* out) noexcept nogil
