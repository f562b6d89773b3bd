# What the node and its operators read of a receiver's estimate and of how it was divided.
from simplestchat._native.engine.entities cimport Transport

cdef dict estimation_told(const Transport* t)
cdef list decisions(const Transport* t)
