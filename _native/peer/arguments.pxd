# From Python's arguments to the structs of synthetic peers, checked; everything that does not fit raises MisuseError.
from simplestchat._native.core.types cimport Tuple, u32
from simplestchat._native.peer.link cimport LinkSettings
from simplestchat._native.peer.settings cimport ReceiverSettings, SenderSettings

cdef int server_tuple(Tuple* out, tuple server) except -1
# (the hash's code, its bytes)
cdef tuple fingerprint_digest(tuple fingerprint)
cdef int sender_arguments(SenderSettings* out, u32 id, object info) except -1
cdef int receiver_arguments(ReceiverSettings* out, u32 id, object info) except -1
cdef int link_arguments(LinkSettings* out, object conditions) except -1
