# Network tuples from and to Python: (remote ip, remote port, local ip, local port).
from simplestchat._native.core.types cimport Tuple

cdef int tuple_from_address(Tuple* out, tuple address) except -1
cdef tuple tuple_to_address(const Tuple* tuple)
