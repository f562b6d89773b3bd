# The ICE-lite side of a transport (RFC 8445 section 2.5): it only answers checks.
#
# Rules:
#  - A request counts only with our user name fragment and a right MESSAGE-INTEGRITY; everything else is dropped in silence, so that a
#    stranger gets no byte back and leaves no state (docs/security.md, A).
#  - Each tuple that passed a check is a pair; the latest one nominated by USE-CANDIDATE is selected. Before any nomination the first is.
#  - The selected pair changes at most once a second, except away from a pair that is silent.
#  - After a restart the old credentials work until the first check with the new ones, so a failed restart breaks nothing.
#  - Toward a pair that has not proven itself (see Pair.proven) at most three times the bytes that came from it are sent, and a
#    first UNPROVEN_ALLOWANCE: an insider could name a victim's address (RFC 8445 section 19.5.1).
from simplestchat._native.core.types cimport Tuple, u32, u8, us_t
from simplestchat._native.engine.entities cimport Pair, ShardState, Transport

cdef enum:
    UNPROVEN_ALLOWANCE = 4096
    MIGRATION_GAP_US = 1000000

# Makes new credentials; the present ones become the old ones. OK or < 0.
cdef int ice_new_credentials(ShardState* s, Transport* t) noexcept nogil
cdef void ice_forget(ShardState* s, Transport* t) noexcept nogil       # all pairs and credentials, when the transport is freed
# A STUN datagram. The transport whose check was valid (its answer is queued), or NULL.
cdef Transport* ice_receive(ShardState* s, const u8* data, u32 size, const Tuple* tuple, us_t now) noexcept nogil
cdef Transport* ice_find(ShardState* s, const Tuple* tuple, Pair** pair) noexcept nogil
# May `size` bytes go to the selected pair? Counts them when yes.
cdef bint ice_may_send_unproven(Transport* t, u32 size) noexcept nogil
cdef inline bint ice_may_send(Transport* t, u32 size) noexcept nogil:
    return (t.selected >= 0 and t.pairs[t.selected].proven) or ice_may_send_unproven(t, size)
