# For benches and fuzz targets: puts a transport where ICE and DTLS would have brought it, with keys that the test knows.
from simplestchat._native.core.types cimport us_t
from simplestchat._native.crypto.srtp cimport SrtpContext
from simplestchat._native.engine.entities cimport Transport
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.swarm cimport Swarm

# The context of the peer's end: AEAD_AES_128_GCM with the keys that connect_directly gives both directions. The caller frees it.
cdef SrtpContext* direct_srtp() except NULL
# Connected to `address` (remote ip, remote port, local ip, local port); its last check was at `now`.
cdef int connect_directly(Shard shard, Transport* t, tuple address, us_t now) except -1
# The same for a synthetic user's path.
cdef int connect_path_directly(Swarm swarm, Path* p, us_t now) except -1
