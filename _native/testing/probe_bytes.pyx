"""Doors to the cursors of ``core/bytes.pxd`` and the modular arithmetic of ``core/seq.pxd``."""

from simplestchat._native.core.bytes cimport (
    Reader, Writer, add8, add16, add24, add32, add64, add_bytes, add_zeros, reader, reader_left, room, take, take8, take16, take24,
    take32, take64, writer, written,
)
from simplestchat._native.core.seq cimport (
    seq_diff as _seq_diff, seq_newer as _seq_newer, seq_unwrap as _seq_unwrap, ts_diff as _ts_diff, ts_newer as _ts_newer,
    ts_unwrap as _ts_unwrap,
)
from simplestchat._native.core.types cimport u8, u16, u32, u64
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room


def read_steps(bytes data, steps):
    """Take fields of 8, 16, 24, 32 or 64 bits, or (negative) that many raw bytes; return values, what is left, failed."""
    cdef Exact copy = exact_copy(data)
    cdef Reader r = reader(copy.data, copy.size)
    cdef const u8* raw
    values = []
    for step in steps:
        if step == 8:
            values.append(take8(&r))
        elif step == 16:
            values.append(take16(&r))
        elif step == 24:
            values.append(take24(&r))
        elif step == 32:
            values.append(take32(&r))
        elif step == 64:
            values.append(take64(&r))
        else:
            raw = take(&r, <size_t> -<long> step)
            values.append(None if raw is NULL else bytes(raw[:-<long> step]))
    return values, reader_left(&r), bool(r.failed)


def write_steps(size_t cap, steps):
    """Add fields, given as (bits, value), (0, zeros) or (-1, bytes); return the status and what was written."""
    cdef Exact out = exact_room(cap), raw
    cdef Writer w = writer(out.data, cap)
    cdef int status
    for kind, value in steps:
        if kind == 8:
            add8(&w, value)
        elif kind == 16:
            add16(&w, value)
        elif kind == 24:
            add24(&w, value)
        elif kind == 32:
            add32(&w, value)
        elif kind == 64:
            add64(&w, value)
        elif kind == 0:
            add_zeros(&w, value)
        else:
            raw = exact_copy(value)
            add_bytes(&w, raw.data, raw.size)
    status = written(&w)
    if w.failed and room(&w, 0) is not NULL:
        raise AssertionError("a failed writer gave room")
    return status, bytes(out.data[:w.pos])


def seq_diff(u16 a, u16 b):
    """How far ``a`` is ahead of ``b``."""
    return _seq_diff(a, b)


def seq_newer(u16 a, u16 b):
    """Whether ``a`` comes after ``b``."""
    return bool(_seq_newer(a, b))


def seq_unwrap(u64 reference, u16 sequence):
    """Return the index nearest to ``reference`` with these low 16 bits."""
    return _seq_unwrap(reference, sequence)


def ts_diff(u32 a, u32 b):
    """How far ``a`` is ahead of ``b``."""
    return _ts_diff(a, b)


def ts_newer(u32 a, u32 b):
    """Whether ``a`` comes after ``b``."""
    return bool(_ts_newer(a, b))


def ts_unwrap(u64 reference, u32 timestamp):
    """Return the time nearest to ``reference`` with these low 32 bits."""
    return _ts_unwrap(reference, timestamp)
