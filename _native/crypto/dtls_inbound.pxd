# Handshake messages of a DTLS peer before they are authenticated: fragments in any order, with gaps, overlaps and repeats, become
# whole messages in sequence, which libssl gets as one record each.
#
# libssl never sees a fragment, a repeat, or a message that the peer's role does not send, so nothing that a stranger can send
# makes it retransmit, allocate or count towards its own limits. Memory and work are bounded by the constants.
from simplestchat._native.core.types cimport u8, u16, u32, u64

cdef enum:
    DTLS_RECORD_HEADER = 13
    DTLS_HANDSHAKE_HEADER = 12
    RECORD_CCS = 20
    RECORD_ALERT = 21
    RECORD_HANDSHAKE = 22
    RECORD_DATA = 23
    INBOUND_SLOTS = 8                # messages of a flight that may be incomplete at a time; the longest flight has 6
    INBOUND_MAX_MESSAGE = 16372      # fits one record with its header
    INBOUND_MAX_HELD = 65536         # bytes of incomplete messages
    INBOUND_MAX_FRAGMENTS = 1000     # looked at in one handshake: ten fragments each, sent again ten times, and room to spare

cdef struct InboundMessage:
    u8* record           # record header, handshake header, body, then one bit per body byte that came; NULL when unused
    u32 length           # of the body
    u32 missing          # body bytes
    u8 type

cdef struct Inbound:
    InboundMessage slots[INBOUND_SLOTS]      # of message_seq % INBOUND_SLOTS
    u64 record_seq       # of the next record for libssl
    u32 held             # bytes in slots
    u32 fragments        # looked at so far
    u16 next_seq         # message_seq that libssl expects
    u8 from_client       # the peer is the DTLS client

cdef void inbound_init(Inbound* inbound, bint from_client) noexcept nogil
cdef void inbound_free(Inbound* inbound) noexcept nogil
# The body of one handshake record of epoch 0. OK when something in it was taken, E_REPLAY when it only repeats messages that are
# done with, E_LIMIT when a cap was reached, E_MALFORMED.
cdef int inbound_record(Inbound* inbound, const u8* body, size_t size) noexcept nogil
# The next message in sequence as a record, or NULL while it is incomplete. It stays until inbound_pop.
cdef const u8* inbound_next(Inbound* inbound, size_t* size) noexcept nogil
cdef void inbound_pop(Inbound* inbound) noexcept nogil
# Writes the header of a record of epoch 0 for libssl.
cdef void inbound_header(Inbound* inbound, u8* record, u8 type, u16 size) noexcept nogil
