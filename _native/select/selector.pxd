# Which packets of one stream go to one receiver: layers inside the stream, chosen by what the packets say of themselves.
#
# A frame that is forwarded needs none that was left out. Layers are left out from the next picture on, and taken in where the stream
# says that it can be done: a keyframe, a layer's synchronization, a switching point. All packets of a frame have one verdict, also late
# and repeated ones, as long as it is among the last pictures; then they are dropped, for nobody waits for them any more.
from simplestchat._native.core.types cimport i8, u8, u64
from simplestchat._native.select.state cimport Selector
from simplestchat._native.wire.av1dd cimport DdStructure
from simplestchat._native.wire.facts cimport FrameFacts

cdef enum SelectKind:
    SELECT_ALL = 0               # layers that nobody can tell (H264, AV1 without a dependency descriptor): all or nothing
    SELECT_TEMPORAL = 1          # VP8
    SELECT_VP9 = 2
    SELECT_AV1 = 3               # with a dependency descriptor

# Bits.
cdef enum Verdict:
    SELECT_DROP = 0
    SELECT_FORWARD = 1
    SELECT_END = 2               # now the picture's last packet: set the RTP marker
    SELECT_MASK = 4              # the descriptor says that more is active than is forwarded: dd_write_active(..., s.mask, ...)

cdef void selector_init(Selector* s, u8 kind) noexcept nogil
# A run begins with this packet, of a keyframe of this stream; then comes selector_packet with the same. The aim is kept.
cdef void selector_begin(Selector* s, const FrameFacts* first) noexcept nogil
# The most that should be forwarded: cheap, may be called at any time. spatial < 0: nothing; temporal < 0 counts as 0.
cdef void selector_aim(Selector* s, i8 spatial, i8 temporal) noexcept nogil
# What becomes of one packet, in order of arrival: bits of Verdict. `index` is its unwrapped sequence number, `dd` is the stream's
# structure, NULL when it has none.
cdef int selector_packet(Selector* s, const FrameFacts* f, u64 index, const DdStructure* dd) noexcept nogil
# Does it need a keyframe to reach its target? True for as long as it does: who asks for one limits how often.
cdef bint selector_wants_keyframe(const Selector* s) noexcept nogil
