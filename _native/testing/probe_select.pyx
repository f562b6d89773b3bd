"""Doors to the choice of layers and to the rates of layers: payloads and virtual time in, verdicts and numbers out."""

from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport i8, u8, u32, u64, us_t
cimport simplestchat._native.select.selector as _select
cimport simplestchat._native.select.state as _state
cimport simplestchat._native.stream.rates as _rates
from simplestchat._native.testing.exact cimport Exact, exact_copy
from simplestchat._native.wire.av1dd cimport DdStructure, DdView, dd_facts, dd_init, dd_parse
from simplestchat._native.wire.facts cimport FrameFacts
from simplestchat._native.wire.vp8 cimport Vp8View, vp8_facts, vp8_parse
from simplestchat._native.wire.vp9 cimport Vp9View, vp9_facts, vp9_parse

DROP = _select.SELECT_DROP
FORWARD = _select.SELECT_FORWARD
END = _select.SELECT_END
MASK = _select.SELECT_MASK
PATIENCE = _state.SELECT_PATIENCE
PICTURES = _state.SELECT_PICTURES
FRAMES = _state.SELECT_FRAMES
SIZE = sizeof(_state.Selector)

_KINDS = {"all": _select.SELECT_ALL, "vp8": _select.SELECT_TEMPORAL, "vp9": _select.SELECT_VP9, "av1": _select.SELECT_AV1}


cdef class Selector:
    """One receiver's choice; a payload is a codec's, for AV1 a dependency descriptor."""

    cdef _state.Selector state
    cdef DdStructure structure
    cdef FrameFacts facts
    cdef str kind

    def __cinit__(self, str kind):
        self.kind = kind
        _select.selector_init(&self.state, <u8> _KINDS[kind])
        dd_init(&self.structure)

    cdef int _read(self, bytes payload, bint marker) except -1:
        cdef Exact copy = exact_copy(payload)
        cdef Vp8View vp8
        cdef Vp9View vp9
        cdef DdView dd
        cdef int status
        if self.kind == "vp9":
            status = vp9_parse(copy.data, copy.size, &vp9)
            vp9_facts(&vp9, marker, &self.facts)
        elif self.kind == "av1":
            status = dd_parse(copy.data, copy.size, &self.structure, &dd)
            dd_facts(&dd, marker, &self.facts)
        else:
            status = vp8_parse(copy.data, copy.size, &vp8)
            vp8_facts(&vp8, marker, &self.facts)
        if status < 0:
            raise_status(status, "payload")
        return 0

    def begin(self, bytes payload, bint marker=False):
        """A run begins with this packet, which is to be given to ``packet`` as well."""
        self._read(payload, marker)
        _select.selector_begin(&self.state, &self.facts)

    def aim(self, i8 spatial, i8 temporal):
        _select.selector_aim(&self.state, spatial, temporal)

    def packet(self, bytes payload, bint marker=False, u64 index=0):
        """The verdict: a sum of FORWARD, END and MASK."""
        self._read(payload, marker)
        return _select.selector_packet(&self.state, &self.facts, index, &self.structure)

    def time_packets(self, list packets, u32 rounds):
        """Reads the packets once and judges them so many times, their picture numbers going on; how many were forwarded."""
        cdef FrameFacts facts[64]
        cdef int count = min(len(packets), 64)
        cdef int i
        cdef u32 round, forwarded = 0
        cdef u64 index = 0
        for i in range(count):
            payload, marker = packets[i]
            self._read(payload, marker)
            facts[i] = self.facts
        with nogil:
            for round in range(rounds):
                for i in range(count):
                    forwarded += _select.selector_packet(&self.state, &facts[i], index, &self.structure) & 1
                    facts[i].picture_id += <u32> count
                    index += 1
        return forwarded

    @property
    def wants_keyframe(self):
        return bool(_select.selector_wants_keyframe(&self.state))

    @property
    def current(self):
        """(spatial, temporal) that is forwarded now."""
        return self.state.spatial, self.state.temporal

    @property
    def mask(self):
        """Decode targets that are whole in what is forwarded."""
        return self.state.mask


cdef class LayerRates:
    """Bit rates of one received stream's layers."""

    cdef _rates.LayerRates state

    def __cinit__(self):
        _rates.rates_init(&self.state)

    def packet(self, u8 spatial, u8 temporal, bint alone, u32 size, us_t now):
        _rates.rates_packet(&self.state, spatial, temporal, alone, size, now)

    def read(self, us_t now):
        """Bit/s of what must be sent, a row of temporal layers for each spatial one."""
        cdef u32[4][4] out
        _rates.rates_read(&self.state, now, out)
        return [[out[i][j] for j in range(4)] for i in range(4)]

    def time_packets(self, u32 packets, u32 size, us_t gap):
        """Counts so many packets of all layers in turn, so far apart; the time behind them."""
        cdef u32 i
        cdef us_t now = 0
        with nogil:
            for i in range(packets):
                _rates.rates_packet(&self.state, i & 3, (i >> 2) & 3, i & 1, size, now)
                now += gap
        return now
