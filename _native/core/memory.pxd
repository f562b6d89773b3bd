# Hints to the processor about memory.

cdef extern from *:
    """
    #define SC_PREFETCH(address) __builtin_prefetch(address)
    """
    # Begins to fetch the line at this address. Any address will do: a wrong one costs nothing but time.
    void prefetch "SC_PREFETCH"(const void* address) noexcept nogil
