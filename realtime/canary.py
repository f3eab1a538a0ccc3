"""A bird in each process that goes the way of an alert: stored, read, handed on, and heard again.

Its topic is nobody's, so nobody may hear it; of its events only the last few are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime import log, protocol
from realtime.connection import Connection, Load
from realtime.hub import Hub
from realtime.protocol import Mark
from realtime.stream import Stream

KIND = "canary"
_PREFIX = "canary:"
#: Events kept of each canary; the tailer is never so far behind as not to hear the last.
KEEP = 8


class Canary:
    """Sings into the log by `sing` and hears itself through the hub while `run` runs."""

    def __init__(self, hub: Hub, name: str, *, look: Callable[[str], Awaitable[Mark]]) -> None:
        """Take a `name` of this process, and a `look` at where a topic stands."""
        self.topic = f"{_PREFIX}{name}"
        self._hub = hub
        self._look = look
        self._sung = 0
        self._heard = 0
        self._ear = Connection(self._hear, self._load)
        self._rings = asyncio.Event()

    async def run(self) -> None:
        """Hear until cancelled."""
        while True:
            self._ear.streams[self.topic] = Stream(self.topic, None)
            self._hub.overhear(self._ear, self.topic)
            self._ear.push(Load((self.topic,)))
            try:
                await self._ear.write()  # ends only when a full queue closed it
            finally:
                self._hub.part(self._ear, self.topic)
            self._ear = Connection(self._hear, self._load)

    async def sing(self, conn: AsyncConnection, *, now: datetime) -> int:
        """Append the next song in the caller's transaction, last of all, and return its number."""
        self._sung += 1
        seq = await log.append(conn, self.topic, KIND, {"number": self._sung}, at=now)
        await conn.execute(_KEEP, {"topic": self.topic, "most": seq - KEEP})
        return self._sung

    async def heard(self, number: int) -> None:
        """Wait until a song has come back; the caller bounds it."""
        while self._heard < number:
            self._rings.clear()
            await self._rings.wait()

    async def _hear(self, frame: str) -> None:
        event = orjson.loads(frame)
        if event.get("type") == "event":
            self._heard = max(self._heard, event["body"]["number"])
            self._rings.set()

    async def _load(self, connection: Connection, load: Load) -> Sequence[str]:
        """Stand where the log stands, as a client does after its snapshot."""
        stream = connection.streams[self.topic]
        clock = await self._look(self.topic)
        self._hub.follow(self.topic, clock)
        stream.arrive(clock)
        frames = [protocol.event(event) for event in stream.release()]
        if not stream.is_live:
            connection.push(load)
        return frames


# Under the clock of the topic, which the append has locked. Served by the primary key.
_KEEP = text("DELETE FROM event WHERE topic = :topic AND seq <= :most")

# Topics of canaries that have fallen silent for good.
_FORGET = text("""
    WITH gone AS (
        DELETE FROM process_beat WHERE process IN (
            SELECT process FROM process_beat WHERE at < :before
            ORDER BY process FOR UPDATE SKIP LOCKED
        ) RETURNING 'canary:' || process AS topic
    ), clocks AS (
        DELETE FROM topic_clock USING gone WHERE topic_clock.topic = gone.topic
    )
    DELETE FROM event USING gone WHERE event.topic = gone.topic
""")


async def forget(conn: AsyncConnection, *, before: datetime) -> None:
    """Forget the processes that have not been heard of since that time, and their canaries."""
    await conn.execute(_FORGET, {"before": before})
