"""Doors to the parsers and writers of the wire layer: bytes in, plain Python values out.

Input is copied to, and output written into, heap memory of exactly its size. A negative status raises NativeError.
"""

from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport u8, u16, u32, u64
from simplestchat._native.testing.exact cimport Exact, exact_copy, exact_room
from simplestchat._native.wire.av1 cimport av1_keyframe as _av1_keyframe
from simplestchat._native.wire.demux cimport demux as _demux
from simplestchat._native.wire.h264 cimport h264_keyframe as _h264_keyframe
from simplestchat._native.wire.rtp cimport (
    RTP_EXT_ONE_BYTE, RtpExt, RtpExtWriter, RtpView, rtp_ext_begin, rtp_ext_end, rtp_ext_find, rtp_ext_next, rtp_ext_put,
    rtp_parse as _rtp_parse, rtp_payload_size, rtp_write_fixed,
)
from simplestchat._native.wire.stun cimport (
    StunView, stun_fingerprint as _stun_fingerprint, stun_parse as _stun_parse, stun_write_error as _stun_write_error,
    stun_write_request as _stun_write_request, stun_write_success as _stun_write_success,
)
from simplestchat._native.wire.vp8 cimport Vp8View, vp8_parse as _vp8_parse
from simplestchat._native.wire.vp9 cimport vp9_keyframe as _vp9_keyframe

_KINDS = ("unknown", "stun", "dtls", "rtp", "rtcp")


cdef int _check(int status, str what) except -1:
    if status < 0:
        raise_status(status, what)
    return status


cdef bytes _taken(Exact room, int status, str what):
    return bytes(room.data[:_check(status, what)])


def demux(bytes data):
    """Which protocol a datagram speaks."""
    cdef Exact copy = exact_copy(data)
    return _KINDS[_demux(copy.data, copy.size)]


def stun_parse(bytes data):
    """Parse a STUN message; keys are those of StunView, with addresses and names as bytes."""
    cdef Exact copy = exact_copy(data)
    cdef StunView view
    _check(_stun_parse(copy.data, copy.size, &view), "STUN message")
    result = dict(view)
    result["unknown"] = result["unknown"][:view.unknown_count]
    result["mapped_ip"] = bytes(view.mapped_ip[:16])
    result["username"] = data[view.username_off:view.username_off + view.username_len] if view.username_off else None
    result["txid"] = data[view.txid_off:view.txid_off + 12]
    return result


def stun_fingerprint(bytes data):
    """Return the FINGERPRINT value of ``data``."""
    cdef Exact copy = exact_copy(data)
    return _stun_fingerprint(copy.data, copy.size)


cdef Exact _txid(bytes txid):
    if len(txid) != 12:
        raise ValueError("a transaction id has 12 bytes")
    return exact_copy(txid)


def stun_write_request(bytes txid, bytes username, u32 priority, bint controlling, u64 tie_breaker,
                       bint use_candidate=False, size_t cap=1500):
    """Write a Binding request without integrity."""
    cdef Exact out = exact_room(cap), tx = _txid(txid), user = exact_copy(username)
    cdef u16 length = len(username)
    return _taken(out, _stun_write_request(out.data, cap, tx.data, user.data, length, priority, controlling,
                                           tie_breaker, use_candidate), "STUN request")


def stun_write_success(bytes txid, bytes ip16, u16 port, size_t cap=1500):
    """Write a Binding success response without integrity."""
    cdef Exact out = exact_room(cap), tx = _txid(txid), ip = exact_copy(ip16)
    if ip.size != 16:
        raise ValueError("an address has 16 bytes")
    return _taken(out, _stun_write_success(out.data, cap, tx.data, ip.data, port), "STUN response")


def stun_write_error(bytes txid, u16 code, unknown=(), size_t cap=1500):
    """Write a Binding error response without integrity."""
    cdef Exact out = exact_room(cap), tx = _txid(txid)
    cdef u16 kinds[255]
    cdef u8 count = len(unknown), i
    for i in range(count):
        kinds[i] = unknown[i]
    return _taken(out, _stun_write_error(out.data, cap, tx.data, code, kinds, count), "STUN error")


def rtp_parse(bytes data):
    """Parse an RTP header; keys are those of RtpView."""
    cdef Exact copy = exact_copy(data)
    cdef RtpView view
    _check(_rtp_parse(copy.data, copy.size, &view), "RTP packet")
    return dict(view)


def rtp_payload(bytes data):
    """Return the payload of a plain RTP packet, without padding."""
    cdef Exact copy = exact_copy(data)
    cdef RtpView view
    _check(_rtp_parse(copy.data, copy.size, &view), "RTP packet")
    size = _check(rtp_payload_size(copy.data, copy.size, &view), "RTP padding")
    return data[view.header_size:view.header_size + size]


def rtp_extensions(bytes data):
    """Return the extension elements as (id, value) in order."""
    cdef Exact copy = exact_copy(data)
    cdef RtpView view
    cdef RtpExt element
    cdef u16 pos = 0
    _check(_rtp_parse(copy.data, copy.size, &view), "RTP packet")
    found = []
    while rtp_ext_next(copy.data, &view, &pos, &element):
        found.append((element.id, data[element.off:element.off + element.size]))
    return found


def rtp_extension(bytes data, u8 id):
    """Return the value of the first extension element with this id, or None."""
    cdef Exact copy = exact_copy(data)
    cdef RtpView view
    cdef RtpExt element
    _check(_rtp_parse(copy.data, copy.size, &view), "RTP packet")
    if not rtp_ext_find(copy.data, &view, id, &element):
        return None
    return data[element.off:element.off + element.size]


def rtp_write(u8 payload_type, bint marker, u16 sequence, u32 timestamp, u32 ssrc, extensions=None,
              bint two_byte=False, bint padding=False, size_t cap=1500):
    """Write a header; ``extensions`` is None or a list of (id, value)."""
    cdef Exact out = exact_room(cap), value
    cdef RtpExtWriter writer
    cdef u8 length
    cdef int size = rtp_write_fixed(out.data, cap, payload_type, marker, sequence, timestamp, ssrc, padding,
                                    extensions is not None)
    _check(size, "RTP header")
    if extensions is not None:
        _check(rtp_ext_begin(&writer, out.data, cap, size, two_byte), "RTP extension block")
        for id, content in extensions:
            value = exact_copy(content)
            length = len(content)
            _check(rtp_ext_put(&writer, id, value.data, length), "RTP extension")
        size = rtp_ext_end(&writer)
    return _taken(out, size, "RTP extension block")


def vp8_parse(bytes payload):
    """Parse a VP8 payload descriptor; keys are those of Vp8View."""
    cdef Exact copy = exact_copy(payload)
    cdef Vp8View view
    _check(_vp8_parse(copy.data, copy.size, &view), "VP8 payload")
    return dict(view)


def h264_keyframe(bytes payload):
    """Tell whether an H264 payload begins an IDR picture or carries an SPS."""
    cdef Exact copy = exact_copy(payload)
    return _check(_h264_keyframe(copy.data, copy.size), "H264 payload") == 1


def vp9_keyframe(bytes payload):
    """Tell whether a VP9 payload begins a picture that needs no earlier one."""
    cdef Exact copy = exact_copy(payload)
    return _check(_vp9_keyframe(copy.data, copy.size), "VP9 payload") == 1


def av1_keyframe(bytes payload):
    """Tell whether an AV1 payload begins a coded video sequence."""
    cdef Exact copy = exact_copy(payload)
    return _check(_av1_keyframe(copy.data, copy.size), "AV1 payload") == 1
