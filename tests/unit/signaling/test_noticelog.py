"""What a room remembers for those who come back: bounded in number and in bytes, never with a gap."""

from hypothesis import given
from hypothesis import strategies as st
from support.recorder import Client, World

from simplestchat.signaling.limits import Limits
from simplestchat.signaling.noticelog import NoticeLog


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_it_holds_the_longest_tail_that_fits(sizes: list[int], entries: int, most: int) -> None:
    log = NoticeLog(entries, most)
    frames = [bytes(size) for size in sizes]
    for number, frame in enumerate(frames, 1):
        log.append(number, frame)
    fits = 0
    while fits < min(entries, len(frames)) and sum(map(len, frames[len(frames) - fits - 1 :])) <= most:
        fits += 1
    assert log.floor == len(frames) - fits
    for seen in range(len(frames) + 1):
        after = log.after(seen, "someone")
        if seen < log.floor:
            assert after is None
        else:
            assert after == list(enumerate(frames, 1))[seen:]


def come_back(world: World, client: Client, seen: int) -> Client:
    client.drop()
    again = world.client()
    again.join(name="Bob", resume=client.joined["resumeToken"], lastSeq=seen)
    return again


def test_a_room_full_of_large_messages_answers_within_bounds() -> None:
    limits = Limits()
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    first = bob.joined["seq"]
    seqs = []
    for number in range(300):
        world.now += 0.01
        ada.call("chat.send", text="\N{GRINNING FACE}" * 4096, clientId=str(number))
        seqs.append(ada.box.take()[-1]["seq"])
    assert limits.room_notice_bytes < 300 * 4096 * 4
    bob = come_back(world, bob, seqs[-11])
    assert len(bob.joined["missed"]) == 10
    bob = come_back(world, bob, first)
    assert (bob.joined["reset"], bob.joined["missed"]) == (True, [])
