# Layers by dependency descriptors (RTP Payload Format for AV1, version 1.0, appendix A): a decode target of the structure is forwarded.
#
# A frame is forwarded when it is present in the target and what it refers to was not left out. The target changes with a frame that has a
# switch indication for another and can be decoded; and at the beginning of a picture to one that is whole in what is forwarded already:
# all templates that belong to it belong to the target, too. So chains need no watching: a chain is broken by what was left out.
from simplestchat._native.core.types cimport u8
from simplestchat._native.select.state cimport Selector
from simplestchat._native.wire.av1dd cimport DdStructure
from simplestchat._native.wire.facts cimport FrameFacts

cdef int av1_packet(Selector* s, const FrameFacts* f, const DdStructure* dd) noexcept nogil
cdef bint av1_wants_keyframe(const Selector* s) noexcept nogil
