"""Many people who join one room at once, each over a WebSocket of its own, in one cheap event loop."""

from __future__ import annotations

import json

import trio
from support.abuse import UPGRADE, frame

JOIN_TIMEOUT_S = 120
_PING, _PONG = b"\x89\x00", b"\x8a\x80\0\0\0\0"


def gather(address: tuple[str, int], room: str, people: int) -> tuple[int, list[bytes]]:
    """Let everyone join as fast as they can; return how many did, and what the others were told."""
    return trio.run(_gather, address, room, people)


async def _gather(address: tuple[str, int], room: str, people: int) -> tuple[int, list[bytes]]:
    joined: set[int] = set()
    refused: list[bytes] = []
    everyone = trio.Event()

    async def person(number: int) -> None:
        params = {"room": room, "name": f"Person {number}"}
        join = {"jsonrpc": "2.0", "id": 1, "method": "room.join", "params": params}
        async with await trio.open_tcp_stream(*address) as stream:
            await stream.send_all(UPGRADE + b"\r\n" + frame(1, json.dumps(join).encode()))
            answer = b""
            while data := await stream.receive_some(262144):
                if _PING in data:
                    await stream.send_all(_PONG)
                if number not in joined:
                    answer += bytes(data)
                    if b'"resumeToken"' in answer:
                        joined.add(number)
                        answer = b""
                if len(joined) + len(refused) == people:
                    everyone.set()
        refused.append(answer[-500:])

    with trio.move_on_after(JOIN_TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            for number in range(people):
                nursery.start_soon(person, number)
            await everyone.wait()
            nursery.cancel_scope.cancel()
    return len(joined), refused
