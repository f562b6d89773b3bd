"""The load generator's loop on real sockets: media flows, times are true, addresses change, and it ends when told."""

from __future__ import annotations

import errno
import os
import random
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from support.live_call import (
    HOST,
    LiveCall,
    RunningCrowd,
    live_call,
    no_files_left,
    plain_server,
    running_crowd,
    until,
)

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.io.crowd import Crowd
from simplestchat._native.peer.swarm import (
    EVENT_CONNECTED,
    EVENT_FAILED,
    EVENT_FIRST_FRAME,
)
from simplestchat._native.testing.bench_crowd import local_port
from simplestchat.load.histogram import Histogram

UDP_SEGMENT = 103  # linux/udp.h


def add_path(running: RunningCrowd, server: socket.socket, path: int = 1) -> None:
    running.swarm.add_path(path, path, server.getsockname(), "stub", "p" * 22, running.swarm.fingerprint, path)


def spans(sample: dict[str, Any], name: str) -> Histogram:
    histogram = Histogram()
    histogram.merge(sample["histograms"][name])
    return histogram


@pytest.fixture(scope="module")
def meeting() -> Any:
    """One who publishes and three who watch and hear."""
    with live_call() as call:
        publisher, *viewers = [call.join() for _ in range(4)]
        for path in (publisher, *viewers):
            call.running.wait_for(EVENT_CONNECTED, path)
        camera, microphone = call.publish(publisher, video=True), call.publish(publisher, video=False)
        receivers = {
            (path, video): call.subscribe(path, source, publisher, video=video)
            for path in viewers
            for source, video in ((camera, True), (microphone, False))
        }
        yield call, receivers


def test_users_connect_and_their_media_arrives(meeting: tuple[LiveCall, dict[tuple[int, bool], int]]) -> None:
    call, receivers = meeting
    for receiver in receivers.values():
        call.running.wait_for(EVENT_FIRST_FRAME, receiver)
        until(lambda r=receiver: call.swarm.receiver_totals(r)["delivered"] > 25, "packets")
        totals = call.swarm.receiver_totals(receiver)
        assert totals["corrupt"] == totals["misdelivered"] == 0


def test_times_are_the_kernels(meeting: tuple[LiveCall, dict[tuple[int, bool], int]]) -> None:
    call, receivers = meeting
    call.swarm.sample()
    before = {receiver: call.swarm.receiver_totals(receiver)["delivered"] for receiver in receivers.values()}
    for receiver, delivered in before.items():
        until(lambda r=receiver, d=delivered: call.swarm.receiver_totals(r)["delivered"] > d + 50, "packets")
    sample = call.swarm.sample()
    # A wrong clock offset would show: an arrival after its reading is cut to the reading, which makes all of them 0,
    # and one that is too early makes latency, due to arrival, 0.
    for name in ("wake", "latency_audio", "latency_video", "lag"):
        assert spans(sample, name).count > 100, name
        assert spans(sample, name).percentile(0.5) > 0, name
    assert spans(sample, "wake").percentile(0.5) < 1e6
    assert spans(sample, "latency_audio").percentile(0.5) < 1e6
    assert abs(call.running.crowd.now() - time.monotonic_ns() // 1000) < 1_000_000


def test_an_emulated_downlink_delays(meeting: tuple[LiveCall, dict[tuple[int, bool], int]]) -> None:
    call, receivers = meeting
    slow = {path for path, _ in receivers}
    for path in slow:
        call.swarm.set_network(path, None, {"delay_us": 80_000})
    call.swarm.sample()
    until(lambda: spans(call.swarm.sample(), "latency_audio").minimum >= 80_000, "delayed audio")
    for path in slow:
        call.swarm.set_network(path, None, None)


def test_media_goes_on_from_a_new_address(meeting: tuple[LiveCall, dict[tuple[int, bool], int]]) -> None:
    call, receivers = meeting
    (path, _), receiver = next(iter(receivers.items()))
    port, sockets = local_port(call.swarm, path), call.running.crowd.totals()["sockets"]
    call.swarm.rebind(path)
    until(lambda: local_port(call.swarm, path) != port, "another socket")
    delivered = call.swarm.receiver_totals(receiver)["delivered"]
    until(lambda: call.swarm.receiver_totals(receiver)["delivered"] > delivered + 25, "packets at the new address")
    assert call.running.crowd.totals()["sockets"] == sockets


def test_the_loop_accounts_for_itself(meeting: tuple[LiveCall, dict[tuple[int, bool], int]]) -> None:
    call, _ = meeting
    counted = ("turns", "receive_calls", "send_calls")
    until(lambda: min(call.running.crowd.totals()[name] for name in counted) > 100, "a hundred of each")
    totals = call.running.crowd.totals()
    assert totals["sockets"] == 4
    assert totals["send_failures"] == totals["refused"] == 0
    assert totals["cpu_us"] > 0
    assert totals["busy_us"] > 0


def test_a_rebind_changes_the_source_port_and_checks_at_once() -> None:
    with plain_server() as server, running_crowd() as running:
        add_path(running, server)
        _, first = server.recvfrom(2048)
        running.swarm.rebind(1)
        while (second := server.recvfrom(2048)[1]) == first:
            pass
        assert second[0] == first[0] == HOST
        until(lambda: local_port(running.swarm, 1) == second[1], "the new port")
        assert running.crowd.totals()["sockets"] == 1


@pytest.mark.parametrize("server_host", ["127.0.0.1", "::1"])
def test_both_families(server_host: str) -> None:
    family = socket.AF_INET6 if ":" in server_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server, running_crowd(bind="127.0.0.3") as running:
        server.bind((server_host, 0))
        server.settimeout(30)
        running.swarm.add_path(1, 1, server.getsockname()[:2], "stub", "p" * 22, running.swarm.fingerprint, 1)
        assert server.recvfrom(2048)[1][0] == ("127.0.0.3" if family == socket.AF_INET else "::1")


def test_a_removed_path_gives_its_socket_back() -> None:
    with plain_server() as server, running_crowd() as running:
        for path in range(20):
            add_path(running, server, path)
        until(lambda: running.crowd.totals()["sockets"] == 20, "sockets")
        for path in range(0, 20, 2):
            running.swarm.remove_path(path)
        until(lambda: running.crowd.totals()["sockets"] == 10, "their end")


def test_where_nobody_listens_is_no_end() -> None:
    with plain_server() as server:
        address = server.getsockname()
    with running_crowd() as running:
        running.swarm.add_path(1, 1, address, "stub", "p" * 22, running.swarm.fingerprint, 1)
        until(lambda: running.crowd.totals()["refused"] > 1, "refusals")
        with plain_server() as server:
            add_path(running, server, 2)
            server.recvfrom(2048)


def test_several_datagrams_in_one_piece_are_taken_apart() -> None:
    with plain_server() as server, running_crowd() as running:
        add_path(running, server)
        _, client = server.recvfrom(2048)
        segments = bytes(1100) * 6 + bytes(300)
        size = (1100).to_bytes(2, "little")
        server.sendmsg([segments], [(socket.SOL_UDP, UDP_SEGMENT, size)], 0, client)
        until(lambda: running.swarm.path_totals(1)["packets_in"] >= 7, "seven datagrams")
        totals = running.swarm.path_totals(1)
        assert (totals["packets_in"], totals["bytes_in"]) == (7, 6900)
        assert running.crowd.totals()["receive_drops"] == 0


def test_what_a_full_socket_drops_is_counted() -> None:
    with plain_server() as server, running_crowd(receive_buffer=1) as running:
        add_path(running, server)
        _, client = server.recvfrom(2048)

        def flood() -> bool:
            for _ in range(500):
                server.sendto(bytes(1000), client)
            return running.crowd.totals()["receive_drops"] > 0

        until(flood, "drops")


@pytest.mark.alone
def test_stop_ends_an_idle_loop_at_once() -> None:
    took = []
    for _ in range(3):  # one of them is not held up by what else the machine does
        running = RunningCrowd()
        until(lambda r=running: r.crowd.totals()["turns"] > 0, "its first turn")
        began = time.monotonic()
        running.close()
        took.append(time.monotonic() - began)
    assert min(took) < 0.5  # a loop that nobody wakes sleeps for a second


def test_stop_before_run_and_no_second_run() -> None:
    crowd = Crowd(b"x")
    crowd.stop()
    crowd.run()
    with pytest.raises(MisuseError, match="once"):
        crowd.run()


def test_the_goodbye_leaves_before_the_loop_ends() -> None:
    with live_call() as call:
        path = call.join()
        call.running.wait_for(EVENT_CONNECTED, path)
        call.swarm.remove_path(path)
        call.running.close()
        # The server's word for a peer that ended its DTLS.
        until(lambda: ("transport.state", path, "failed") in call.server.events, "the server to hear it")


def test_a_dropped_crowd_that_never_ran() -> None:
    crowd = Crowd(b"x")
    swarm = crowd.swarm
    fd = crowd.event_fd
    del crowd
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    with plain_server() as server:
        swarm.add_path(1, 1, server.getsockname(), "stub", "p" * 22, swarm.fingerprint, 1)
    assert swarm.path_totals(1)["packets_in"] == 0


def test_no_sockets_left_is_an_error_that_says_so() -> None:
    with plain_server() as server:
        running = RunningCrowd()
        with no_files_left():
            add_path(running, server)
            running.thread.join(30)
    assert isinstance(running.failure, OSError)
    assert running.failure.errno == errno.EMFILE
    assert "no socket for a path" in str(running.failure)
    assert [event[0] for event in running.swarm.take_events()] == [EVENT_FAILED]


def test_no_crowd_without_files() -> None:
    with no_files_left(), pytest.raises(OSError, match="Too many open files"):
        Crowd(b"x")


def test_an_impossible_address_to_bind_fails_the_path() -> None:
    with plain_server() as server, running_crowd(bind="192.0.2.1") as running:
        add_path(running, server)
        running.wait_for(EVENT_FAILED, 1)
    with pytest.raises(OSError, match="illegal IP address"):
        Crowd(b"x", bind="nowhere")


def test_calls_of_other_threads_never_deadlock(meeting: tuple[LiveCall, dict[tuple[int, bool], int]]) -> None:
    """Four threads for two seconds, longer where a busy machine lets one of them wait, while media flows."""
    call, receivers = meeting
    done = [0] * 4
    end = time.monotonic() + 2
    patience = time.monotonic() + 50

    def use(worker: int, server: socket.socket) -> None:
        rng, swarm = random.Random(worker), call.swarm
        while time.monotonic() < end or (min(done) <= 50 and time.monotonic() < patience):
            path = 1000 * (worker + 1) + rng.randrange(5)
            credentials = (server.getsockname(), "stub", "p" * 22, swarm.fingerprint, path)
            calls: tuple[tuple[Any, ...], ...] = (
                (swarm.add_path, path, path, *credentials),
                (swarm.remove_path, path),
                (swarm.rebind, path),
                (swarm.set_network, path, {"loss": 0.5}, None),
                (swarm.path_totals, path),
                (swarm.receiver_totals, rng.choice([*receivers.values()])),
                (swarm.sample,),
                (swarm.take_events,),
                (call.running.crowd.totals,),
            )
            method, *arguments = rng.choice(calls)
            with suppress(MisuseError):  # the path is there already, or not there
                method(*arguments)
            done[worker] += 1

    with plain_server() as server:
        threads = [threading.Thread(target=use, args=(worker, server), daemon=True) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
    assert min(done) > 50
