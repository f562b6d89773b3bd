# From the node's arguments to the engine's structs, checked.
from simplestchat._native.core.types cimport u32
from simplestchat._native.engine.entities cimport Consumer, Producer, ShardState, Transport

cdef Producer* make_producer(ShardState* s, Transport* t, u32 id, str kind, str mid, list streams, list codecs, dict extensions,
                             list layers) except NULL
# A consumer of which nothing is filled in yet; raises MisuseError for SSRCs that do not fit and at a cap.
cdef Consumer* new_consumer(ShardState* s, Transport* t, Producer* p, u32 id, u32 ssrc, u32 rtx_ssrc) except NULL
cdef Consumer* make_consumer(ShardState* s, Transport* t, Producer* p, u32 id, u32 ssrc, u32 rtx_ssrc, list codecs,
                             dict extensions, str cname) except NULL
