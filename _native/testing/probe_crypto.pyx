"""Doors to SRTP, key derivation, STUN integrity and the taint check: bytes in, bytes out.

Input is copied to, and output written into, heap memory of exactly its size. A negative status raises NativeError.
"""

from cython cimport final
from libc.string cimport memcpy, memset

from simplestchat._native.core.bytes cimport get16, get32
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport E_INTERNAL, u8, u16, u32, u64
from simplestchat._native.crypto.srtcp cimport SRTCP_MAX_OVERHEAD, srtcp_open, srtcp_seal
from simplestchat._native.crypto.srtp cimport (
    SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80, SRTP_MAX_OVERHEAD,
    SealJob, SrtpContext, SrtpRecvState, srtp_free, srtp_from_session, srtp_key_size, srtp_new,
    srtp_note, srtp_note_padding, srtp_open, srtp_salt_size, srtp_seal, srtp_seal_many, srtp_tag_size,
)
from simplestchat._native.crypto.srtp_kdf cimport SrtpHalfKeys, SrtpSessionKeys, srtp_prf
from simplestchat._native.crypto.srtp_replay cimport replay_guess
from simplestchat._native.crypto.stunauth cimport stun_seal as _stun_seal, stun_verify as _stun_verify
from simplestchat._native.crypto.taint cimport (
    taint_records as _taint_records, taint_repeats as _taint_repeats, taint_switch as _taint_switch,
)
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room
from simplestchat._native.wire.rtp cimport RtpView, rtp_parse
from simplestchat._native.wire.stun cimport StunView, stun_parse

AES128_CM_SHA1_80 = SRTP_AES128_CM_SHA1_80
AEAD_AES_128_GCM = SRTP_AEAD_AES_128_GCM
AEAD_AES_256_GCM = SRTP_AEAD_AES_256_GCM
SUITES = (AES128_CM_SHA1_80, AEAD_AES_128_GCM, AEAD_AES_256_GCM)

cdef enum:
    MANY = 300           # packets that are sealed together at most


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


def srtp_sizes(int suite):
    """Return (master key bytes, master salt bytes, tag bytes) of a suite; zeros when it is unknown."""
    return srtp_key_size(suite), srtp_salt_size(suite), srtp_tag_size(suite)


def srtp_keystream(bytes key, bytes salt, u8 label, size_t size):
    """Return ``size`` bytes that ``label`` derives from a master key and salt."""
    cdef Exact out = exact_room(size), k = exact_copy(key), s = exact_copy(salt)
    if len(key) not in (16, 32) or len(salt) not in (12, 14):
        raise ValueError("a master key has 16 or 32 bytes, a salt 12 or 14")
    _check(srtp_prf(k.data, k.size, s.data, s.size, label, out.data, size), "key derivation")
    return bytes(out.data[:size])


cdef int _half(SrtpHalfKeys* half, int suite, tuple keys) except -1:
    cdef bytes key, auth, salt
    key, auth, salt = keys
    if len(key) != srtp_key_size(suite) or len(auth) not in (0, 20) or len(salt) != srtp_salt_size(suite):
        raise ValueError("wrong session key sizes")
    memset(half, 0, sizeof(SrtpHalfKeys))
    memcpy(half.key, <const u8*>key, len(key))
    memcpy(half.auth, <const u8*>auth, len(auth))
    memcpy(half.salt, <const u8*>salt, len(salt))
    return 0


@final
cdef class _Source:
    cdef SrtpRecvState state


@final
cdef class Srtp:
    """One direction of SRTP and SRTCP: protects what is sent or unprotects what is received, per SSRC."""

    cdef SrtpContext* ctx
    cdef readonly int suite
    cdef dict _sent                   # SSRC -> index sent last
    cdef dict _sources                # SSRC -> _Source

    def __cinit__(self, int suite, bytes key=b"", bytes salt=b"", *, session=None):
        cdef SrtpSessionKeys keys
        self._sent = {}
        self._sources = {}
        self.suite = suite
        if srtp_key_size(suite) == 0:
            raise ValueError("unknown suite")
        if session is not None:
            _half(&keys.rtp, suite, session[0])
            _half(&keys.rtcp, suite, session[1])
            self.ctx = srtp_from_session(suite, &keys)
        elif len(key) != srtp_key_size(suite) or len(salt) != srtp_salt_size(suite):
            raise ValueError("wrong key or salt size")
        else:
            self.ctx = srtp_new(suite, key, salt)
        if self.ctx == NULL:
            raise_status(E_INTERNAL, "SRTP context")

    def __dealloc__(self):
        srtp_free(self.ctx)

    cdef u64 _next(self, u32 ssrc, u16 seq) except? 0xFFFFFFFFFFFFFFFF:
        cdef u64 index = seq
        if ssrc in self._sent:
            _check(replay_guess(self._sent[ssrc], seq, &index), "packet index")
        return index

    def protect(self, bytes packet, index=None, size_t split=0, size_t header_size=0):
        """Seal an RTP packet; without ``index`` it follows from the sequence numbers sent before.

        The first ``split`` payload bytes are handed over as a prefix apart from the rest. ``header_size`` is read from the
        packet when it is 0.
        """
        cdef Exact data = exact_copy(packet)
        cdef Exact out = exact_room(data.size + SRTP_MAX_OVERHEAD)
        cdef RtpView view
        cdef u64 at
        _check(rtp_parse(data.data, data.size, &view), "RTP packet")
        header_size = header_size or view.header_size
        if header_size > data.size or split > data.size - header_size:
            raise ValueError("the split lies behind the payload")
        at = self._next(get32(data.data + 8), get16(data.data + 2)) if index is None else index
        size = _check(srtp_seal(self.ctx, at, data.data, header_size, data.data + header_size, split,
                                data.data + header_size + split, data.size - header_size - split, out.data, out.size),
                      "RTP packet")
        self._sent[get32(data.data + 8)] = at
        return bytes(out.data[:size])

    def unprotect(self, bytes packet, size_t header_size=0):
        """Open an SRTP packet."""
        return self.unprotect_indexed(packet, header_size)[0]

    def unprotect_indexed(self, bytes packet, size_t header_size=0):
        """Open an SRTP packet; (plain packet, 48-bit index)."""
        cdef Exact data = exact_copy(packet)
        cdef Exact out
        cdef RtpView view
        cdef u64 index = 0
        cdef _Source source
        _check(rtp_parse(data.data, data.size, &view), "SRTP packet")
        header_size = header_size or view.header_size
        ssrc = get32(data.data + 8)
        source = self._sources.get(ssrc) or _Source()
        out = exact_room(max(<int>data.size - srtp_tag_size(self.suite), 0))
        size = _check(srtp_open(self.ctx, &source.state, data.data, data.size, header_size, out.data, out.size, &index),
                      "SRTP packet")
        self._sources[ssrc] = source
        return bytes(out.data[:size]), index

    def protect_rtcp(self, bytes packet):
        """Seal an RTCP compound packet with the next SRTCP index."""
        cdef Exact data = exact_copy(packet)
        cdef Exact out = exact_room(data.size + SRTCP_MAX_OVERHEAD)
        size = _check(srtcp_seal(self.ctx, data.data, data.size, out.data, out.size), "RTCP packet")
        return bytes(out.data[:size])

    def unprotect_rtcp(self, bytes packet):
        """Open an SRTCP packet."""
        cdef Exact data = exact_copy(packet)
        cdef Exact out = exact_room(data.size)
        size = _check(srtcp_open(self.ctx, data.data, data.size, out.data, out.size), "SRTCP packet")
        return bytes(out.data[:size])

    def state(self, u32 ssrc):
        """Return what is remembered of a received SSRC as bytes; it must not change unless a packet was authentic."""
        cdef _Source source = self._sources.get(ssrc) or _Source()
        return bytes((<u8*>&source.state)[:sizeof(SrtpRecvState)])


def seal_together(list packets):
    """Seal RTP packets, each (sender, packet, index, bytes of payload handed over as a prefix, bytes of padding), in one batch.

    The header of a packet with padding says so already.
    """
    cdef SealJob jobs[MANY]
    cdef Exact data, out
    cdef RtpView view
    cdef Srtp sender
    cdef size_t split
    cdef u8 padding
    cdef int i
    if len(packets) > MANY:
        raise ValueError(f"more than {MANY} packets")
    plain, room = [], []
    for i, (sender, packet, index, split, padding) in enumerate(packets):
        data, out = exact_copy(packet), exact_room(len(packet) + padding + SRTP_MAX_OVERHEAD)
        _check(rtp_parse(data.data, data.size, &view), "RTP packet")
        if split > data.size - view.header_size:
            raise ValueError("the split lies behind the payload")
        _check(srtp_note(&jobs[i], sender.ctx, index, data.data, view.header_size, data.data + view.header_size, split,
                         data.data + view.header_size + split, data.size - view.header_size - split, out.data, out.size), "RTP packet")
        if padding:
            _check(srtp_note_padding(&jobs[i], padding, out.size), "padding")
        plain.append(data)
        room.append(out)
    if srtp_seal_many(jobs, len(packets)) != 0:
        raise_status(E_INTERNAL, "sealing a batch")
    sealed = []
    for i, out in enumerate(room):
        sealed.append(bytes(out.data[:jobs[i].size]))
    return sealed


def stun_verify(bytes message, bytes key):
    """Check MESSAGE-INTEGRITY of a STUN message; raises PeerError when it does not match."""
    cdef Exact data = exact_copy(message), k = exact_copy(key)
    cdef StunView view
    _check(stun_parse(data.data, data.size, &view), "STUN message")
    _check(_stun_verify(data.data, data.size, &view, k.data, k.size), "STUN message")


def stun_seal(bytes message, bytes key, size_t cap=1500):
    """Append MESSAGE-INTEGRITY and FINGERPRINT to a STUN message."""
    cdef size_t room = max(cap, <size_t>len(message))
    cdef Exact out = exact_room(room), k = exact_copy(key)
    memcpy(out.data, <const u8*>message, len(message))
    size = _check(_stun_seal(out.data, len(message), cap, k.data, k.size), "STUN message")
    return bytes(out.data[:size])


def taint_switch(bint on):
    """Begin (or end and forget) the check that no packet index is used for two different packets."""
    _check(_taint_switch(on), "taint check")


def taint_repeats():
    """Return how many different packets were sealed at an index already used."""
    return _taint_repeats()


def taint_records():
    """Return how many sealed packets the check has looked at."""
    return _taint_records()
