"""All synthetic users of one generator process; see turns.pxd for the loop's side and swarm.pyi for Python's."""

cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cimport simplestchat._native.peer.events as kinds
from simplestchat._native.core.types cimport E_LIMIT, E_MALFORMED, E_STATE, OK, Tuple, u32, u64, u8
from simplestchat._native.crypto.dtls_context cimport HASH_SHA256, dtls_context_fingerprint
from simplestchat._native.peer.arguments cimport (
    fingerprint_digest, link_arguments, receiver_arguments, sender_arguments, server_tuple,
)
from simplestchat._native.peer.commands cimport (
    COMMAND_END, COMMAND_KEYFRAME, COMMAND_LAYERS, COMMAND_MUTE, COMMAND_REBIND, COMMAND_RESUME, COMMAND_SILENCE, COMMAND_TALK,
    UNKNOWN, IceArguments, PathAccount, command, command_add_path, command_add_receiver, command_add_sender,
    command_bitrate, command_network, command_path, command_receiver, command_restart, command_sender,
)
from simplestchat._native.peer.entities cimport (
    MAX_SWARM_EVENTS, OWN_PASSWORD_SIZE, OWN_UFRAG_SIZE, SUMS, Path, PeerEvent, SwarmMeasures,
)
from simplestchat._native.peer.link cimport LinkSettings
from simplestchat._native.peer.measures cimport measures_clear, measures_sums, measures_take
from simplestchat._native.peer.receiver cimport ReceiverTotals
from simplestchat._native.peer.sender cimport SenderTotals
from simplestchat._native.peer.settings cimport ReceiverSettings, SenderSettings
from simplestchat._native.peer.tracks cimport tracks_count

from simplestchat._native.core.errors import LIMIT, InternalError, MisuseError

cdef enum:
    COUNTED_AT_ONCE = 2000         # tracks that are summed up before the loop has its turn again

EVENT_CONNECTED = kinds.EVENT_CONNECTED
EVENT_DISCONNECTED = kinds.EVENT_DISCONNECTED
EVENT_FAILED = kinds.EVENT_FAILED
EVENT_FIRST_PACKET = kinds.EVENT_FIRST_PACKET
EVENT_FIRST_FRAME = kinds.EVENT_FIRST_FRAME
EVENT_LAYER = kinds.EVENT_LAYER


cdef object _refuse(int status, str what):
    """Raises what a status of the methods below means."""
    if status == UNKNOWN:
        raise MisuseError(f"there is no {what}")
    if status == E_STATE:
        raise MisuseError(f"{what}: its number or an SSRC of it is used already")
    if status == E_LIMIT:
        raise MisuseError(f"{what}: there are too many", LIMIT)
    if status == E_MALFORMED:
        raise MisuseError(f"{what}: its settings or credentials cannot be")
    raise InternalError(f"{what}: no memory, or a library failed", status)


cdef dict _path_dict(PathAccount account):
    counted = dict(account.totals)
    counted.update(state=account.state, rtt_us=account.rtt_us, remb_bps=account.remb_bps)
    for i, name in enumerate(("up", "down")):
        for field, value in dict(account.links[i]).items():
            counted[f"{name}_{field}"] = value
    return counted


cdef IceArguments _ice(bytes ufrag, bytes password):
    """Points into both."""
    cdef IceArguments ice
    ice.ufrag = <const u8*><const char*>ufrag
    ice.ufrag_size = len(ufrag)
    ice.password = <const u8*><const char*>password
    ice.password_size = len(password)
    return ice


@cython.final
cdef class Swarm(Turns):
    """Paths, senders and receivers, by numbers that the caller chooses."""

    # Paths.

    @property
    def fingerprint(self):
        """Algorithm and colon-separated hex of the certificate that all paths use."""
        cdef u8 digest[64]
        cdef int size = dtls_context_fingerprint(self.s.dtls, HASH_SHA256, digest)
        if size < 0:
            raise InternalError("the certificate has no digest", size)
        return "sha-256", ":".join(f"{byte:02X}" for byte in digest[:size])

    cdef int _command(self, int kind, u32 id, bint flag, u32 number, str what) except -1:
        cdef int status
        with nogil:
            self._enter()
            status = command(&self.s, kind, id, flag, number)
            self._leave()
        return status if status == OK else _refuse(status, f"{what} {id}")

    def add_path(self, u32 path, u32 user, tuple server, str ufrag, str password, tuple fingerprint, seed):
        """Starts ICE, then DTLS, at once."""
        cdef Tuple to
        cdef bytes digest, name = ufrag.encode(), secret = password.encode()
        cdef int hash
        hash, digest = fingerprint_digest(fingerprint)
        cdef const u8* digest_bytes = <const u8*><const char*>digest
        cdef size_t digest_size = len(digest)
        cdef u64 own_seed = int(seed) & 0xFFFFFFFFFFFFFFFF
        cdef IceArguments ice = _ice(name, secret)
        cdef int status
        server_tuple(&to, server)
        with nogil:
            self._enter()
            status = command_add_path(&self.s, path, user, &to, &ice, hash, digest_bytes, digest_size, own_seed)
            self._leave()
        if status != OK:
            _refuse(status, f"path {path}")

    def restart_ice(self, u32 path, str ufrag, str password):
        cdef bytes name = ufrag.encode(), secret = password.encode()
        cdef IceArguments ice = _ice(name, secret)
        cdef int status
        with nogil:
            self._enter()
            status = command_restart(&self.s, path, &ice)
            self._leave()
        if status != OK:
            _refuse(status, f"path {path}")

    def credentials(self, u32 path):
        cdef PathAccount account = self._account(path, False)
        return account.ufrag[:OWN_UFRAG_SIZE].decode(), account.password[:OWN_PASSWORD_SIZE].decode()

    def rebind(self, u32 path):
        """The next datagrams leave from a new socket, a check first."""
        self._command(COMMAND_REBIND, path, False, 0, "path")

    def silence(self, u32 path):
        """Sends nothing from now on, without goodbye."""
        self._command(COMMAND_SILENCE, path, False, 0, "path")

    cdef PathAccount _account(self, u32 path, bint remove) except *:
        cdef PathAccount account
        cdef int status
        with nogil:
            self._enter()
            status = command_path(&self.s, path, remove, &account)
            self._leave()
        if status != OK:
            _refuse(status, f"path {path}")
        return account

    def remove_path(self, u32 path):
        """Says goodbye unless silenced; its senders and receivers end."""
        return _path_dict(self._account(path, True))

    def path_totals(self, u32 path):
        return _path_dict(self._account(path, False))

    def set_network(self, u32 path, up, down):
        """None: no emulation in that direction."""
        cdef LinkSettings settings[2]
        cdef bint has_up = up is not None, has_down = down is not None
        cdef int status
        if has_up:
            link_arguments(&settings[0], up)
        if has_down:
            link_arguments(&settings[1], down)
        with nogil:
            self._enter()
            status = command_network(&self.s, path, &settings[0] if has_up else NULL, &settings[1] if has_down else NULL)
            self._leave()
        if status != OK:
            _refuse(status, f"path {path}")

    # Senders.

    def add_sender(self, u32 sender, u32 path, info):
        cdef SenderSettings settings
        cdef int status
        sender_arguments(&settings, sender, info)
        with nogil:
            self._enter()
            status = command_add_sender(&self.s, path, &settings)
            self._leave()
        if status != OK:
            _refuse(status, f"sender {sender} on path {path}")

    def mute(self, u32 sender, bint muted, bint forbidden=False):
        self._command(COMMAND_MUTE, sender, muted, forbidden, "sender")

    def talk(self, u32 sender, bint talking):
        self._command(COMMAND_TALK, sender, talking, 0, "sender")

    def set_layers(self, u32 sender, u32 mask):
        self._command(COMMAND_LAYERS, sender, False, mask, "sender")

    def set_bitrate(self, u32 sender, u32 layer, u32 bps):
        """From its next frame on."""
        cdef int status
        with nogil:
            self._enter()
            status = command_bitrate(&self.s, sender, layer, bps)
            self._leave()
        if status != OK:
            _refuse(status, f"sender {sender} with a layer {layer} of {bps} bit/s")

    def request_keyframe(self, u32 sender):
        self._command(COMMAND_KEYFRAME, sender, False, 0, "sender")

    cdef dict _sent(self, u32 sender, bint remove):
        cdef SenderTotals totals
        cdef int status
        with nogil:
            self._enter()
            status = command_sender(&self.s, sender, remove, &totals)
            self._leave()
        if status != OK:
            _refuse(status, f"sender {sender}")
        return totals

    def remove_sender(self, u32 sender):
        """Its totals."""
        return self._sent(sender, True)

    def sender_totals(self, u32 sender):
        return self._sent(sender, False)

    # Receivers.

    def add_receiver(self, u32 receiver, u32 path, info):
        cdef ReceiverSettings settings
        cdef int status
        receiver_arguments(&settings, receiver, info)
        with nogil:
            self._enter()
            status = command_add_receiver(&self.s, path, &settings)
            self._leave()
        if status != OK:
            _refuse(status, f"receiver {receiver} on path {path}")

    def end_receiver(self, u32 receiver, expected=None):
        """From now on nothing more is due."""
        self._command(COMMAND_END, receiver, expected is not None, expected or 0, "receiver")

    def resume_receiver(self, u32 receiver):
        self._command(COMMAND_RESUME, receiver, False, 0, "receiver")

    cdef dict _received(self, u32 receiver, bint remove, expected):
        cdef ReceiverTotals totals
        cdef bint has_expected = expected is not None
        cdef u32 counter = expected or 0
        cdef int status
        with nogil:
            self._enter()
            status = command_receiver(&self.s, receiver, remove, has_expected, counter, &totals)
            self._leave()
        if status != OK:
            _refuse(status, f"receiver {receiver}")
        return totals

    def remove_receiver(self, u32 receiver, expected=None):
        """Its totals, settled."""
        return self._received(receiver, True, expected)

    def receiver_totals(self, u32 receiver):
        return self._received(receiver, False, None)

    # What is read.

    cdef void _count_some(self, u32* at) noexcept nogil:
        cdef u32 tracks = 0
        cdef Path* p
        while at[0] < self.s.path_count and tracks < COUNTED_AT_ONCE:
            p = self.s.paths[at[0]]
            tracks += 1 + p.publication_count + p.reception_count
            tracks_count(&self.s, p)
            at[0] += 1

    def sample(self):
        """Sums over everything that ever was, histograms since the last sample, and how many there are now."""
        cdef SwarmMeasures* taken = <SwarmMeasures*>malloc(sizeof(SwarmMeasures))
        cdef u64 sums[SUMS]
        cdef u32 at = 0
        cdef u32 counts[4]
        cdef u64 lost = 0
        cdef bint more = True
        if taken == NULL:
            raise MemoryError()
        with nogil:
            while more:
                self._enter()
                self._count_some(&at)
                more = at < self.s.path_count
                if not more:
                    memcpy(sums, self.s.sums, sizeof(sums))
                    memcpy(taken, self.s.measures, sizeof(SwarmMeasures))
                    measures_clear(self.s.measures)
                    counts[0], counts[1] = self.s.path_count, self.s.connected
                    counts[2], counts[3] = self.s.sender_count, self.s.receiver_count
                    lost = self.s.events_lost
                self._leave()
        try:
            return {
                "totals": measures_sums(sums), "histograms": measures_take(taken),
                "paths": counts[0], "connected": counts[1], "senders": counts[2], "receivers": counts[3], "events_lost": lost,
            }
        finally:
            free(taken)

    def take_events(self):
        """What happened since the last call, oldest first."""
        cdef PeerEvent* taken
        cdef u32 count, i
        if not self.has_events():
            return []
        taken = <PeerEvent*>malloc(MAX_SWARM_EVENTS * sizeof(PeerEvent))
        if taken == NULL:
            raise MemoryError()
        with nogil:
            self._enter()
            count = self.s.event_count
            memcpy(taken, self.s.events, count * sizeof(PeerEvent))
            self.s.event_count = 0
            self._leave()
        try:
            return [(taken[i].kind, taken[i].id, taken[i].first, taken[i].second) for i in range(count)]
        finally:
            free(taken)
