"""One app process: the real `web.live.Live` over the simulated database, Redis and sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from realtime import protocol
from realtime.protocol import Ack, AckLevel, BadMessage
from tests.simulated.bus import Bus
from tests.simulated.database import Database
from tests.simulated.engine import Engine
from tests.simulated.judge import Judge
from tests.simulated.wire import Wire
from web import live, live_acks, live_poll

#: What ends a poll in an answer without frames.
_POLL_FAILS = (TimeoutError, BadMessage, asyncio.CancelledError)


class App:
    """A process that can be started once, and stopped or killed."""

    def __init__(self, database: Database, bus: Bus, judge: Judge, *, has_short_way: bool) -> None:
        reading: Any = Engine(database, 2)
        client: Any = bus
        settings: Any = SimpleNamespace()
        self.database: Any = Engine(database, 8)
        self.live = live.Live(self.database, client, settings, reading=reading)
        self.is_up = False
        self.wires: list[Wire] = []
        self._judge = judge
        self._has_short_way = has_short_way
        self._stop = asyncio.Event()
        self._serving: set[asyncio.Task[Any]] = set()
        self._main = asyncio.create_task(self._run(), name="app")

    async def _run(self) -> None:
        async with self.live.running():
            self.is_up = True
            await self._stop.wait()
            self.is_up = False

    def take(self, wire: Wire) -> None:
        """Serve a socket."""
        self.wires = [known for known in self.wires if known.is_open_above]
        self.wires.append(wire)
        if self._has_short_way:
            wire.socket.offer_short_way()
        wire.socket.on_close = self._judge_close(wire)
        socket: Any = wire.socket
        self._serve(self.live.serve(socket), "app socket")

    def _judge_close(self, wire: Wire) -> Callable[[int], None]:
        return lambda code: self._judge.closed(wire, code, is_ending=self._stop.is_set())

    async def poll(self, person: UUID, topics: dict[str, Any], wait_s: int) -> list[str] | None:
        """Answer a poll; None where it fails."""
        header = (b"authorization", f"Bearer {person.hex}".encode())
        scope = {"type": "http", "headers": [header]}
        request: Any = SimpleNamespace(scope=scope, receive=_never)
        work = live_poll._Poll(self.live, request).run(protocol.hello(topics), wait_s)
        return await self._answer(work, "app poll")

    async def acknowledge(self, person: UUID, frame: dict[str, Any]) -> str | None:
        """Answer an ack that comes by a request; None where it fails."""
        caller: Any = SimpleNamespace(id=person)
        ack = Ack(frame["alert"], AckLevel(frame["level"]))
        return await self._answer(live_acks.answer(self.database, caller, ack), "app ack")

    async def _answer(self, work: Any, name: str) -> Any:
        try:
            return await self._serve(work, name)
        except _POLL_FAILS:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return None

    def _serve(self, work: Any, name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=name)
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        return task

    async def stop(self) -> None:
        """End as at a deployment: tell every client, then go."""
        self.is_up = False
        self._stop.set()
        await self._main
        self.kill()

    def kill(self, *, is_told: bool = True) -> None:
        """End at once; the clients' kernels are told, or not."""
        self.is_up = False
        self._main.cancel()
        for task in self._serving:
            task.cancel()
        for wire in self.wires:
            wire.cut(is_told=is_told)

    async def ended(self) -> None:
        """Wait until nothing of it is left."""
        await asyncio.gather(self._main, *self._serving, return_exceptions=True)
        if self.live.failures:
            self._judge.find(f"FAILED {self.live.failures} sockets failed in an unknown way")


async def _never() -> dict[str, Any]:
    await asyncio.get_running_loop().create_future()
    return {}
