"""The one WebSocket endpoint: who you are, which topics, then the protocol.

No database connection is held between messages. What is true is read in one repeatable-read
transaction with the topic's clock, so that snapshot and number always fit together.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NoReturn, TypeVar
from uuid import UUID

from fastapi import APIRouter
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from dispatch import db
from dispatch.settings import Settings
from realtime import connected, hub
from realtime.protocol import Close
from realtime.tailer import Tailer
from web import (
    ack_batch,
    auth,
    dependencies,
    live_document,
    live_looks,
    live_poll,
    live_redelivery,
    live_watch,
    position_ingest,
    problems,
)
from web.live_session import Session

_logger = logging.getLogger(__name__)

router = APIRouter()
router.include_router(live_document.router)
router.include_router(live_poll.router, prefix="/api/v1", responses=problems.RESPONSES)

T = TypeVar("T")
Item = TypeVar("Item")

#: Where the socket is.
PATH = "/api/v1/live"

#: Heartbeats and positions are handed out at this pace.
TICK_S = 0.5

#: How long a stopping process waits for its sockets to take their 1012.
STOP_WITHIN_S = 2.0


class Entry:
    """Takes the live socket before all that requests pass through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client of the live log until it goes or must go, or a request."""
        if scope["type"] != "websocket" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        line: Live = scope["app"].state.live
        await line.serve(WebSocket(scope, receive, send))


class Live:
    """This process's part of the live log: one hub, one tailer, and the sockets."""

    def __init__(
        self,
        database: db.Database,
        redis: Redis,
        settings: Settings,
        *,
        reading: AsyncEngine | None = None,
    ) -> None:
        """Take the database, and for the tailer an engine of its own where there is one."""
        self.database = database
        self.redis = redis
        self.settings = settings
        self.hub = hub.Hub()
        self.tailer = Tailer(reading or database.engine, redis, self.hub)
        self.watch = live_watch.Watch(self)
        self.redelivery = live_redelivery.Redelivery(self)
        self.positions = position_ingest.Ingest(database, redis)
        self.sessions: set[Session] = set()
        #: The same, by the turn in which the watch looks at them.
        self.in_turn: tuple[set[Session], ...] = tuple(set() for _ in range(live_watch.TURNS))
        self.per_person: Counter[UUID] = Counter()
        # For the metrics.
        self.failures = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._looks = live_looks.Looks(database)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the log while the app runs; at its end close every socket with 1012."""
        async with self.positions.running(), asyncio.TaskGroup() as tasks:
            own = [
                tasks.create_task(self.tailer.run(), name="live tailer"),
                tasks.create_task(self._tick(), name="live tick"),
                tasks.create_task(self.watch.run(), name="live watch"),
                tasks.create_task(self._say_connected(), name="live connected"),
                tasks.create_task(self.redelivery.run(), name="live redelivery"),
            ]
            yield
            self.hub.close_all(Close.RESTARTING)
            await self._wait_until_empty()
            for task in own:
                task.cancel()
            await ack_batch.of(self.database).end()
            await self._looks.end()

    async def serve(self, socket: WebSocket) -> None:
        """Speak with one client; a failure of ours is counted and closes this one socket."""
        if not auth.is_own_origin(socket, self.settings):
            await socket.close()  # before accepting, so the handshake is answered 403
            return
        session = Session(self, socket)
        self.hold(session)
        try:
            await socket.accept()
            await session.run()
        except Exception:  # one of the three loops that outlive anything
            self.failures += 1
            _logger.exception("live connection failed")
            await _apologise(socket)
        finally:
            self.forget(session)

    def hold(self, session: Session) -> None:
        """Count a client in and look after it, until it is forgotten."""
        self.sessions.add(session)
        self.in_turn[session.number % live_watch.TURNS].add(session)
        self._empty.clear()

    def forget(self, session: Session) -> None:
        """Let go of a client that is gone."""
        self.sessions.discard(session)
        self.in_turn[session.number % live_watch.TURNS].discard(session)
        self.hub.leave(session.connection)
        if session.caller is not None:
            self.per_person[session.caller.id] -= 1
        if not self.sessions:
            self._empty.set()

    async def look(self, read: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Read in a repeatable-read transaction, waiting for a turn; raises TimeoutError."""
        return await self._looks.look(read)

    async def look_together(self, gather: live_looks.Gather[Item, T], item: Item) -> T:
        """Read the same, in the same statements as all others who wait for this `gather`."""
        return await self._looks.look_together(gather, item)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for turn in itertools.cycle(range(hub.TURNS)):
            await asyncio.sleep(TICK_S / hub.TURNS)
            self.hub.tick(loop.time(), server_time=dependencies.clock(), turn=turn)

    async def _say_connected(self) -> NoReturn:
        """Say whose phones this process holds, so that they get the first word."""
        while True:
            held = self.hub.heard_of("person:")  # which nobody hears but that person's phones
            if held:
                await connected.say(self.redis, held, now=dependencies.clock())
            await asyncio.sleep(connected.SAY_EVERY_S)

    async def _wait_until_empty(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._empty.wait()


async def _apologise(socket: WebSocket) -> None:
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it may be closed already
        async with asyncio.timeout(STOP_WITHIN_S):
            await socket.close(Close.TRY_LATER, Close.TRY_LATER.name.lower())
