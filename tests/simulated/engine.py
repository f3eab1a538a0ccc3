"""The simulated database as the program takes hold of it: pools, connections, views of an instant.

Whoever reads is given a connection on which one instant can be looked at; `edges` puts the reading
functions of the program's own SQL in place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.simulated.database import Database, View

T = TypeVar("T")

POOL_TIMEOUT_S = 3.0


class Engine:
    """What the tailer takes for SQLAlchemy's engine, and the rest for `dispatch.db.Database`."""

    def __init__(self, database: Database, pool_size: int) -> None:
        self.database = database
        self.engine = self
        self._pool = asyncio.Semaphore(pool_size)

    def execution_options(self, **_: Any) -> Engine:
        """Give itself: outside a transaction each statement sees an instant of its own."""
        return self

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """Give a connection as soon as one is free."""
        try:
            async with asyncio.timeout(POOL_TIMEOUT_S):
                await self._pool.acquire()
        except TimeoutError:
            raise PoolTimeout("no connection is free") from None
        try:
            yield Connection(self.database, is_repeatable=False)
        finally:
            self._pool.release()

    single = connect

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Give a connection that always sees the same instant, from its first statement on."""
        async with self.connect():
            yield Connection(self.database, is_repeatable=True)


class Connection:
    """One session of the database."""

    def __init__(self, database: Database, *, is_repeatable: bool) -> None:
        self.info: dict[str, Any] = {}
        self._database = database
        self._is_repeatable = is_repeatable
        self._view: View | None = None

    async def read(self, look: Callable[[View], T]) -> T:
        """Carry one statement out."""
        found: T = await self._database.ask(lambda: look(self._instant()))
        return found

    async def execute(self, statement: object, *_: Any) -> NoReturn:
        """Refuse what nobody has put in place."""
        raise NotImplementedError(
            f"give this its few lines in tests/simulated/edges.py: {statement}"
        )

    def _instant(self) -> View:
        if not self._is_repeatable:
            return self._database.view
        if self._view is None:
            self._view = self._database.view
        return self._view
