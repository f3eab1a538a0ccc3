"""Gives up on a database that says nothing: whoever waits for it is told within three seconds.

A server that is stopped with SIGSTOP, or parted from us by a network that swallows everything,
keeps its sockets open; neither TCP nor its own time-outs end a statement then. A statement that is
only slow must not be ended, so a question that is never slow is asked before anything is cut.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import pipeline
from realtime import deadline

#: When somebody has waited so long, and nothing was heard meanwhile, the database is asked.
ASK_AFTER_S = 1.0
#: It is silent if that is not answered within this.
ANSWER_WITHIN_S = 1.0
LOOK_EVERY_S = 0.25


class Ear:
    """All statements of a process that wait for an answer, of whichever engines it was given to."""

    def __init__(self) -> None:
        self._waiting: dict[pipeline.Connection, float] = {}
        self._heard_at = 0.0
        #: How often it was silent.
        self.silences = 0

    def attend(self, engine: AsyncEngine) -> None:
        """Listen to every connection that the engine makes from now on."""
        sa.event.listen(engine.sync_engine, "connect", self._take, insert=True)

    def _take(self, _adapted: object, record: sa.pool.ConnectionPoolEntry) -> None:
        driver = record.driver_connection
        if isinstance(driver, pipeline.Connection):
            driver.listening = self._listening

    @contextmanager
    def _listening(self, connection: pipeline.Connection) -> Iterator[None]:
        self._waiting[connection] = time.monotonic()
        try:
            yield
            self._heard_at = time.monotonic()
        finally:
            del self._waiting[connection]

    async def watch(self, engine: AsyncEngine) -> NoReturn:
        """Cut, until cancelled, what waits for a silent database; ask it through this engine.

        The engine is one whose connections are never all in use.
        """
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            since = max(self._heard_at, min(self._waiting.values(), default=now))
            if now - since > ASK_AFTER_S and not await self._is_heard(engine, now):
                self._cut_all(asked_before=now)

    async def _is_heard(self, engine: AsyncEngine, since: float) -> bool:
        """Ask; any answer to anybody will do, and a server that refuses is not silent."""
        try:
            await deadline.within(ANSWER_WITHIN_S, _ask(engine))
        except TimeoutError:
            await asyncio.sleep(LOOK_EVERY_S)  # it may be us who could not listen
            return self._heard_at > since
        except (sa.exc.SQLAlchemyError, OSError):
            return True
        return True

    def _cut_all(self, *, asked_before: float) -> None:
        self.silences += 1
        for connection, asked_at in list(self._waiting.items()):
            if asked_at <= asked_before:
                connection.cut()


@asynccontextmanager
async def given_up_on(*engines: AsyncEngine) -> AsyncIterator[Ear]:
    """Watch these engines of one database meanwhile; it is asked through the last of them."""
    ear = Ear()
    for engine in engines:
        ear.attend(engine)
    watching = asyncio.create_task(ear.watch(engines[-1]), name="silence of the database")
    try:
        yield ear
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _ask(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        await conn.execute(sa.text("select 1"))
