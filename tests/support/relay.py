"""Joins a Unix socket to a TCP port: the way into a network namespace, which a Unix socket crosses.

python relay.py PATH HOST PORT
"""

from __future__ import annotations

import asyncio
import sys

CHUNK_BYTES = 1 << 16


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Move bytes one way until they end."""
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main(path: str, host: str, port: int) -> None:
    """Serve until killed."""

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(pour(reader, inner_writer), pour(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_unix_server(join, path)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
