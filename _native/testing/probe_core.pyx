"""Python doors to the core layer: the hash tables, the keyed hash, the counted spans and the token bucket."""

from libc.string cimport memset
from simplestchat._native.core.budget cimport Budget as BudgetState, budget_has, budget_init, budget_spend
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.siphash cimport siphash as siphash_words
from simplestchat._native.core.spans cimport SpanCounts, spans_add, spans_take
from simplestchat._native.core.table cimport (
    Table64 as Table64State,
    TupleTable as TupleTableState,
    table64_count,
    table64_free,
    table64_get,
    table64_init,
    table64_next,
    table64_put,
    table64_remove,
    tupletable_count,
    tupletable_free,
    tupletable_get,
    tupletable_init,
    tupletable_next,
    tupletable_put,
    tupletable_remove,
)
from simplestchat._native.core.types cimport Tuple, i64, u16, u32, u64, us_t


def siphash(words, u64 key0, u64 key1, int compress=2, int finish=4):
    cdef u64 buffer[16]
    cdef int i
    if len(words) > 16:
        raise ValueError("at most 16 words")
    for i in range(len(words)):
        buffer[i] = words[i]
    return siphash_words(buffer, <int>len(words), key0, key1, compress, finish)


cdef class Budget:
    cdef BudgetState state
    cdef i64 per_us
    cdef i64 burst

    def __cinit__(self, i64 per_us, i64 burst, us_t now):
        self.per_us, self.burst = per_us, burst
        budget_init(&self.state, burst, now)

    def has(self, us_t now):
        return bool(budget_has(&self.state, self.per_us, self.burst, now))

    def spend(self, i64 amount):
        budget_spend(&self.state, amount)

    @property
    def credit(self):
        return self.state.credit


cdef class Spans:
    cdef SpanCounts counted

    def add(self, us_t span_us):
        spans_add(&self.counted, span_us)

    def take(self):
        return spans_take(&self.counted)


cdef class Table64:
    cdef Table64State state

    def __cinit__(self, u32 cap, u64 seed):
        cdef int status = table64_init(&self.state, cap, seed)
        if status < 0:
            raise_status(status, "a table's cap")

    def __dealloc__(self):
        table64_free(&self.state)

    def __len__(self):
        return table64_count(&self.state)

    def get(self, u64 key):
        cdef u64 value = 0
        return value if table64_get(&self.state, key, &value) else None

    def put(self, u64 key, u64 value):
        cdef int status = table64_put(&self.state, key, value)
        if status < 0:
            raise_status(status, "an entry of a table")

    def remove(self, u64 key):
        return bool(table64_remove(&self.state, key))

    def items(self):
        cdef u32 cursor = 0
        cdef u64 key = 0, value = 0
        found = []
        while table64_next(&self.state, &cursor, &key, &value):
            found.append((key, value))
        return found

    def longest_run(self):
        """The longest run of used slots: what a search may have to walk."""
        cdef u32 i
        longest = run = 0
        for i in range(2 * (self.state.mask + 1)):
            run = run + 1 if self.state.tags[i & self.state.mask] else 0
            longest = max(longest, run)
        return longest

    def time_gets(self, u64 first, u32 keys, u32 rounds):
        """Looks up ``keys`` keys from ``first`` on, ``rounds`` times over; the number found."""
        cdef u64 value = 0, found = 0
        cdef u32 i, r
        with nogil:
            for r in range(rounds):
                for i in range(keys):
                    found += table64_get(&self.state, first + i, &value)
        return found


cdef Tuple _tuple(object key) except *:
    cdef Tuple t
    cdef int i
    memset(&t, 0, sizeof(Tuple))
    remote_ip, remote_port, local_ip, local_port, scope_id = key
    for i in range(16):
        t.remote_ip[i] = remote_ip[i]
        t.local_ip[i] = local_ip[i]
    t.remote_port = remote_port
    t.local_port = local_port
    t.scope_id = scope_id
    return t


cdef class TupleTable:
    """Keys are ``(remote ip, remote port, local ip, local port, scope id)`` with addresses of 16 bytes."""

    cdef TupleTableState state

    def __cinit__(self, u32 cap, u64 seed):
        cdef int status = tupletable_init(&self.state, cap, seed)
        if status < 0:
            raise_status(status, "a table's cap")

    def __dealloc__(self):
        tupletable_free(&self.state)

    def __len__(self):
        return tupletable_count(&self.state)

    def get(self, key):
        cdef Tuple t = _tuple(key)
        cdef u64 value = 0
        return value if tupletable_get(&self.state, &t, &value) else None

    def put(self, key, u64 value):
        cdef Tuple t = _tuple(key)
        cdef int status = tupletable_put(&self.state, &t, value)
        if status < 0:
            raise_status(status, "an entry of a table")

    def remove(self, key):
        cdef Tuple t = _tuple(key)
        return bool(tupletable_remove(&self.state, &t))

    def items(self):
        cdef u32 cursor = 0
        cdef Tuple t
        cdef u64 value = 0
        found = []
        while tupletable_next(&self.state, &cursor, &t, &value):
            key = (bytes(t.remote_ip[:16]), t.remote_port, bytes(t.local_ip[:16]), t.local_port, t.scope_id)
            found.append((key, value))
        return found

    def time_gets(self, key, u32 keys, u32 rounds):
        """Looks up ``key`` with ``keys`` remote ports from its own on, ``rounds`` times over; the number found."""
        cdef Tuple t = _tuple(key)
        cdef u16 first = t.remote_port
        cdef u64 value = 0, found = 0
        cdef u32 i, r
        with nogil:
            for r in range(rounds):
                for i in range(keys):
                    t.remote_port = <u16>(first + i)
                    found += tupletable_get(&self.state, &t, &value)
        return found
