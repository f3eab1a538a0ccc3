"""Reads of the database for sockets: a few at once, and several in one transaction when many wait.

After a restart every phone comes back in the same second. Beginning and ending a transaction costs
more than what a phone reads in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from realtime import deadline

T = TypeVar("T")
Read = Callable[[AsyncConnection], Awaitable[T]]

#: Readers of the database at once, of all sockets together, so that a thousand phones that come
#: back in one second leave connections for the requests; and how long each may wait and read.
AT_ONCE = 4
WITHIN_S = 8.0

#: Reads in one transaction. All see the same instant, which is after the last of them was asked.
IN_ONE = 16


@dataclass(frozen=True, slots=True)
class _Waiting:
    read: Read[Any]
    found: asyncio.Future[Any]


class Looks:
    """One process's reads for its sockets."""

    def __init__(self, database: db.Database) -> None:
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._workers: set[asyncio.Task[None]] = set()

    async def look(self, read: Read[T]) -> T:
        """Read in a repeatable-read transaction, waiting for a turn; raises TimeoutError."""
        waiting = _Waiting(read, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._workers) < AT_ONCE:
            worker = asyncio.create_task(self._work(), name="live look")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        async with asyncio.timeout(WITHIN_S):
            found: T = await waiting.found
        return found

    async def end(self) -> None:
        """Read no more; whoever waits gives up by itself."""
        workers = set(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            most = min(IN_ONE, len(self._waiting))
            some = deque(self._waiting.popleft() for _ in range(most))
            try:
                await deadline.within(WITHIN_S, self._read(some))
            except (SQLAlchemyError, OSError) as failure:  # TimeoutError is an OSError
                for waiting in some:
                    if not waiting.found.done():
                        waiting.found.set_exception(failure)

    async def _read(self, some: deque[_Waiting]) -> None:
        """Read for each; whoever comes after one that broke the transaction has another turn."""
        async with self._database.snapshot() as conn:
            is_whole = True
            while some and is_whole:
                waiting = some.popleft()
                if not waiting.found.done():  # else nobody waits for it any more
                    is_whole = await _read_one(waiting, conn)
        self._waiting.extendleft(reversed(some))
        some.clear()


async def _read_one(waiting: _Waiting, conn: AsyncConnection) -> bool:
    """Hand over what one reads, or its failure; say whether the transaction is still good."""
    reading = asyncio.ensure_future(waiting.read(conn))
    try:
        await asyncio.wait({reading})
    finally:
        reading.cancel()
    failure = reading.exception()
    if not waiting.found.done():
        if failure is None:
            waiting.found.set_result(reading.result())
        else:
            waiting.found.set_exception(failure)
    return not isinstance(failure, SQLAlchemyError)
