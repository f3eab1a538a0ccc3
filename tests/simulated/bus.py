"""A Redis of ours that carries hints: late, twice, in another order, or not at all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Any

from redis.exceptions import ConnectionError as RedisGone


class Mood(Enum):
    """How Redis is."""

    WELL = auto()
    LOSSY = auto()  # hints are lost, doubled, late, in any order
    DEAF = auto()  # answers, and delivers nothing
    HUNG = auto()  # answers nothing
    GONE = auto()


class Bus:
    """One Redis for all processes; `Live` takes it for its client."""

    def __init__(self, chance: random.Random) -> None:
        self.mood = Mood.WELL
        self._chance = chance
        self._ears: list[Ear] = []

    async def execute_command(self, name: str, channel: str, data: str) -> int:
        """Carry out a PUBLISH: tell whoever hears the channel."""
        if name != "PUBLISH":
            raise NotImplementedError(f"the simulated Redis knows no {name}")
        return await self.publish(channel, data)

    async def publish(self, channel: str, data: str) -> int:
        """Tell whoever hears the channel."""
        await self.answer()
        for ear in self._ears:
            if channel in ear.channels:
                self._deliver(ear, {"type": "message", "channel": channel, "data": data})
        return len(self._ears)

    def _deliver(self, ear: Ear, message: dict[str, str]) -> None:
        chance, loop = self._chance, asyncio.get_running_loop()
        if self.mood is Mood.WELL:
            loop.call_later(0.002 * chance.random(), ear.take, message)
        elif self.mood is Mood.LOSSY:
            for _ in range(chance.choice((0, 0, 1, 1, 2))):
                loop.call_later(chance.choice((0.001, 0.01, 0.3, 2.0)), ear.take, message)

    async def answer(self) -> None:
        """Answer after a moment, or never, or by an error."""
        if self.mood is Mood.HUNG:
            await asyncio.get_running_loop().create_future()
        if self.mood is Mood.GONE:
            raise RedisGone("there is no Redis")

    async def zadd(self, *_: Any) -> None:
        """Take who is connected."""
        await self.answer()

    async def zremrangebyscore(self, *_: Any) -> None:
        """Forget who was connected."""
        await self.answer()

    @asynccontextmanager
    async def pubsub(self) -> AsyncIterator[Ear]:
        """Give a subscription."""
        ear = Ear(self)
        self._ears.append(ear)
        try:
            yield ear
        finally:
            self._ears.remove(ear)


class Ear:
    """One subscription."""

    def __init__(self, bus: Bus) -> None:
        self.channels: tuple[str, ...] = ()
        self._bus = bus
        self._inbox: list[dict[str, str]] = []
        self._has_come = asyncio.Event()

    def take(self, message: dict[str, str]) -> None:
        """Hear a message."""
        self._inbox.append(message)
        self._has_come.set()

    async def subscribe(self, *channels: str) -> None:
        """Hear these channels from now on."""
        await self._bus.answer()
        self.channels = channels

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._bus.answer()
        self.take({"type": "pong"})

    async def get_message(self, timeout: float) -> dict[str, str] | None:  # noqa: ASYNC109  # redis-py's
        """Give the next message, or None where none comes in time."""
        if self._bus.mood is Mood.GONE:
            raise RedisGone("the connection was closed")
        if not self._inbox:
            self._has_come.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._has_come.wait()
            except TimeoutError:
                return None
        return self._inbox.pop(0)
