# Picture ids, TL0PICIDX and KEYIDX of a stream that is put together from several: they go on as if one encoder had made it.
#
# Pictures are mapped as packets are by seqmap.pxd. The other two are counted by pictures that are never left out without a switch, so
# they are shifted by what the last switch found between the streams.
from simplestchat._native.core.types cimport u8, u64
from simplestchat._native.stream.seqmap cimport SeqMap
from simplestchat._native.wire.facts cimport PictureIds

cdef struct PidMap:
    u8 begun             # since init or switch, has a packet been seen
    u8 joined            # has anything been given, ever
    u8 tl0picidx         # newest given
    u8 tl0picidx_shift
    u8 keyidx
    u8 keyidx_shift
    u64 newest           # picture that was seen, unwrapped
    SeqMap pictures

cdef void pidmap_init(PidMap* m) noexcept nogil
# What a packet to forward should say instead of its own numbers, in the same widths. OK, or E_REPLAY for one of a picture that was
# dropped or lies before the switch. A stream that never switches or drops keeps its numbers.
cdef int pidmap_forward(PidMap* m, const PictureIds* ids, PictureIds* out) noexcept nogil
# The picture of this packet is not forwarded and leaves no gap (takes effect when it is newer than all before).
cdef void pidmap_drop(PidMap* m, const PictureIds* ids) noexcept nogil
# The next packet is of another stream, and begins a keyframe.
cdef void pidmap_switch(PidMap* m) noexcept nogil
