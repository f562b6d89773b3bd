"""A door to the levelling of trains."""

from libc.string cimport memset

from simplestchat._native.core.types cimport u32
from simplestchat._native.engine.entities cimport BATCH, Ready
from simplestchat._native.engine.train cimport train_level
from simplestchat._native.stream.cache cimport CachedPacket


def levelled(list packets):
    """How many bytes each grows. Packets are (bytes of payload, encoding, has an audio level, has an orientation), None for one that
    was overwritten; 64 at most.
    """
    cdef CachedPacket cached[BATCH]
    cdef Ready ready[BATCH]
    cdef u32 i
    cdef u32 count = <u32>len(packets)
    if count > BATCH:
        raise ValueError(f"{count} packets are more than a batch")
    memset(cached, 0, sizeof(cached))
    memset(ready, 0, sizeof(ready))
    for i in range(count):
        if packets[i] is None:
            continue
        size, stream, level, orientation = packets[i]
        cached[i].payload_size, ready[i].stream = size, stream
        cached[i].level_off, cached[i].orientation_off = 20 if level else 0, 24 if orientation else 0
        ready[i].packet = &cached[i]
    train_level(ready, count)
    return [ready[i].padding for i in range(count)]
