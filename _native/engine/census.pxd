# What is alive in a shard, and what it holds of memory.
from simplestchat._native.engine.entities cimport ShardState

cdef dict census(const ShardState* s)
