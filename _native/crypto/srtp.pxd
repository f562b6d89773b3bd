# SRTP (RFC 3711, RFC 7714) on libcrypto's ciphers, or on ipsec-mb's where srtp_prefer_mb says so.
#
# Rules: a receive state changes only after the tag is verified; decryption writes to another buffer than the ciphertext's,
# so a failed try destroys nothing; a send index belongs to its caller (stream/send), grows only, and is never used for two
# different packets (checked when taint checking is on).
from simplestchat._native.core.types cimport E_SPACE, u8, u16, u32, u64
from simplestchat._native.crypto.srtp_context cimport SrtpContext
from simplestchat._native.crypto.srtp_kdf cimport SrtpSessionKeys

cdef enum SrtpSuite:                       # IANA DTLS-SRTP protection profile numbers
    SRTP_NONE = 0
    SRTP_AES128_CM_SHA1_80 = 0x0001
    SRTP_AEAD_AES_128_GCM = 0x0007
    SRTP_AEAD_AES_256_GCM = 0x0008

cdef enum:
    SRTP_WINDOW = 1024                     # replay window, packets
    SRTP_WINDOW_WORDS = 16                 # of 64 packets each
    SRTP_MAX_OVERHEAD = 16                 # tag bytes that srtp_seal adds at most

# What is remembered of one received SSRC. Zeroed = not begun.
cdef struct SrtpRecvState:
    u64 highest                            # 48-bit packet index of the highest authenticated packet
    u8 begun
    u64 window[SRTP_WINDOW_WORDS]        # bit index % SRTP_WINDOW: that index was seen

cdef int srtp_key_size(int suite) noexcept nogil      # master key bytes, 0 when the suite is unknown
cdef int srtp_salt_size(int suite) noexcept nogil
cdef int srtp_tag_size(int suite) noexcept nogil
# From now on contexts of these suites (a bit for each, by its number) use ipsec-mb for RTP: only after mb_open, and only srtp_backend
# calls it. Contexts that are there stay as they are.
cdef void srtp_prefer_mb(u32 suites) noexcept nogil
# NULL when the suite is unknown or libcrypto failed. Key and salt have the sizes above.
cdef SrtpContext* srtp_new(int suite, const u8* key, const u8* salt) noexcept nogil
# The same from session keys, which nothing derives any more (test vectors).
cdef SrtpContext* srtp_from_session(int suite, const SrtpSessionKeys* keys) noexcept nogil
cdef void srtp_free(SrtpContext* ctx) noexcept nogil  # keys are wiped; NULL is fine

# A packet to be sealed. What the pointers point at, the context too, must stay as it is until srtp_seal_many has run.
cdef struct SealJob:
    SrtpContext* ctx
    u64 index
    const u8* header
    const u8* prefix
    const u8* payload
    u8* out
    u32 header_size
    u32 prefix_size
    u32 payload_size
    u32 padding                            # bytes of RTP padding behind the payload, which the header announces
    int size                               # of the sealed packet; srtp_seal_many makes it < 0 when libcrypto failed

# Notes a packet with 48-bit `index` (ROC * 65536 + sequence; the header's sequence is its low half).
# `header` (plain, authenticated) may already be at `out`. The payload is `prefix` then `payload`: a rewritten codec
# descriptor or an RTX sequence number goes before shared plaintext without copying it. The whole length that it will have, or < 0.
cdef int srtp_note(SealJob* job, SrtpContext* ctx, u64 index, const u8* header, size_t header_size, const u8* prefix,
                   size_t prefix_size, const u8* payload, size_t payload_size, u8* out, size_t cap) noexcept nogil
# Adds RTP padding (RFC 3550 section 5.1) to a noted packet, 1 to 255 bytes; the header has the P bit already. The whole length, or < 0.
cdef inline int srtp_note_padding(SealJob* job, u8 padding, size_t cap) noexcept nogil:
    if <size_t>job.size + padding > cap:
        return E_SPACE
    job.padding = padding
    job.size += padding
    return job.size
# Seals noted packets, of any contexts. How many of them failed.
cdef int srtp_seal_many(SealJob* jobs, int count) noexcept nogil
# The same for one packet at once. Whole length, or < 0.
cdef int srtp_seal(SrtpContext* ctx, u64 index, const u8* header, size_t header_size, const u8* prefix, size_t prefix_size,
                   const u8* payload, size_t payload_size, u8* out, size_t cap) noexcept nogil
# Opens one packet into `out` (header and plaintext, at least size - tag bytes). Plaintext length with header, or
# E_SHORT / E_AUTH / E_REPLAY. On the first packets of a source a rollover of one more is tried too (a late join near
# 65535 with early loss). *index_out is the packet's 48-bit index.
cdef int srtp_open(SrtpContext* ctx, SrtpRecvState* state, const u8* data, size_t size, size_t header_size,
                   u8* out, size_t cap, u64* index_out) noexcept nogil
