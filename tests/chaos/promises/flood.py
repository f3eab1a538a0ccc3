"""Asks for statistics and tells positions at a rate, whatever the answers; a process of its own.

    python -m tests.chaos.promises.flood < ORDER

ORDER is JSON: `ports`, `requests` (method, path, token, body or null; by turns), and either `rate`
a second or `clients` that ask one after the other, `seconds`. Prints `[[request, status, ms], …]`;
status 0 is no answer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import uvloop

#: No more requests than this wait for an answer at a time; further ones count as unanswered.
MOST = 600
ANSWER_WITHIN_S = 10.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Flood:
    """All requests of one order."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.found: list[tuple[int, int, float]] = []
        self._order = order
        self._numbers: Iterator[int] = itertools.count()
        self._idle: dict[int, list[Streams]] = {port: [] for port in order["ports"]}
        self._under_way = 0

    async def run(self) -> None:
        """Ask for as long as was ordered."""
        until = time.monotonic() + self._order["seconds"]
        if "clients" in self._order:
            await asyncio.gather(*(self._client(until) for _ in range(self._order["clients"])))
            return
        began, sent = time.monotonic(), 0
        tasks: set[asyncio.Task[None]] = set()
        while (now := time.monotonic()) < until:
            for _ in range(sent, int((now - began) * self._order["rate"])):
                sent += 1
                task = asyncio.create_task(self.ask())
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.005)
        await asyncio.gather(*tasks)

    async def _client(self, until: float) -> None:
        while time.monotonic() < until:
            await self.ask()

    async def ask(self) -> None:
        """Send the next request, and note what came of it."""
        number = next(self._numbers)
        which = number % len(self._order["requests"])
        port = self._order["ports"][number % len(self._order["ports"])]
        if self._under_way >= MOST:
            self.found.append((which, 0, 0.0))
            return
        self._under_way += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status = await self._exchange(port, self._order["requests"][which])
        except (OSError, asyncio.IncompleteReadError, ValueError):  # TimeoutError is an OSError
            status = 0
        finally:
            self._under_way -= 1
        self.found.append((which, status, round((time.monotonic() - began) * 1e3, 1)))

    async def _exchange(self, port: int, request: dict[str, Any]) -> int:
        # The server closes what was idle for some seconds.
        idle = self._idle[port] = [one for one in self._idle[port] if not one[0].at_eof()]
        streams = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        reader, writer = streams
        try:
            writer.write(_written(request))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            status = int(head.split(b" ", 2)[1])
            if b"content-length:" in head:
                size = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
                await reader.readexactly(size)
                idle.append(streams)
                return status
        except BaseException:
            writer.close()
            raise
        writer.close()
        return status


def _written(request: dict[str, Any]) -> bytes:
    body = b"" if request["body"] is None else json.dumps(request["body"]).encode()
    return (
        f"{request['method']} {request['path']} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {request['token']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _play(order: dict[str, Any]) -> list[tuple[int, int, float]]:
    flood = Flood(order)
    await flood.run()
    return flood.found


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_play(json.load(sys.stdin)))))
