# The swarm's histograms and sums on their way to Python.
from simplestchat._native.core.types cimport u64
from simplestchat._native.peer.entities cimport SwarmMeasures

cdef void measures_clear(SwarmMeasures* m) noexcept nogil
# name -> HistogramData; what was taken is gone.
cdef dict measures_take(SwarmMeasures* m)
# SwarmState.sums by their names.
cdef dict measures_sums(const u64* sums)
