"""Reads of the database for sockets: a few at once, and several in one transaction when many wait.

After a restart every phone comes back in the same second. Beginning and ending a transaction costs
more than what a phone reads in it, and so does each statement: what all of them ask is asked once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from realtime import deadline

T = TypeVar("T")
Item = TypeVar("Item")
Read = Callable[[AsyncConnection], Awaitable[T]]
#: Reads for many at once: an answer or a refusal for each, in their order.
Gather = Callable[[AsyncConnection, Sequence[Item]], Awaitable[Sequence[T | Exception]]]

#: Readers of the database at once, of all sockets together, so that a thousand phones that come
#: back in one second leave connections for the requests; and how long each may wait and read.
AT_ONCE = 4
WITHIN_S = 8.0

#: Reads in one transaction. All see the same instant, which is after the last of them was asked.
IN_ONE = 16

#: Of those that are read together: a few statements serve all.
TOGETHER = 64


@dataclass(frozen=True, slots=True)
class _Waiting:
    found: asyncio.Future[Any]
    read: Read[Any] | None = None
    gather: Gather[Any, Any] | None = None
    item: Any = None


class Looks:
    """One process's reads for its sockets."""

    def __init__(self, database: db.Database) -> None:
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._workers: set[asyncio.Task[None]] = set()

    async def look(self, read: Read[T]) -> T:
        """Read in a repeatable-read transaction, waiting for a turn; raises TimeoutError."""
        found: T = await self._wait(_Waiting(asyncio.get_running_loop().create_future(), read))
        return found

    async def look_together(self, gather: Gather[Item, T], item: Item) -> T:
        """Read as `look` does, in the same statements as all others who wait for this `gather`."""
        future = asyncio.get_running_loop().create_future()
        found: T = await self._wait(_Waiting(future, gather=gather, item=item))
        return found

    async def _wait(self, waiting: _Waiting) -> Any:
        self._waiting.append(waiting)
        if len(self._workers) < AT_ONCE:
            worker = asyncio.create_task(self._work(), name="live look")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        async with asyncio.timeout(WITHIN_S):
            return await waiting.found

    async def end(self) -> None:
        """Read no more; whoever waits gives up by itself."""
        workers = set(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            some = self._take_some()
            try:
                await deadline.within(WITHIN_S, self._read(some))
            except (SQLAlchemyError, OSError) as failure:  # TimeoutError is an OSError
                for waiting in some:
                    _fail(waiting, failure)

    def _take_some(self) -> deque[_Waiting]:
        some: deque[_Waiting] = deque()
        alone = 0
        while self._waiting and alone < IN_ONE and len(some) < TOGETHER:
            some.append(self._waiting.popleft())
            alone += some[-1].gather is None
        return some

    async def _read(self, some: deque[_Waiting]) -> None:
        """Read for each; whoever comes after one that broke the transaction has another turn."""
        async with self._database.snapshot() as conn:
            is_whole = True
            while some and is_whole:
                alike = _take_alike(some)
                is_whole = await _read_alike(alike, conn)
                if not is_whole and len(alike) > 1:
                    some.extendleft(_alone(waiting) for waiting in reversed(alike))
        self._waiting.extendleft(reversed(some))
        some.clear()


def _take_alike(some: deque[_Waiting]) -> list[_Waiting]:
    """Take the first, and all that are read together with it; nobody waits for some any more."""
    first = some.popleft()
    if first.gather is None:
        return [] if first.found.done() else [first]
    alike = [first, *(waiting for waiting in some if waiting.gather == first.gather)]
    others = [waiting for waiting in some if waiting.gather != first.gather]
    some.clear()
    some.extend(others)
    return [waiting for waiting in alike if not waiting.found.done()]


async def _read_alike(alike: Sequence[_Waiting], conn: AsyncConnection) -> bool:
    """Hand over what they read, or the failure; say whether the transaction is still good.

    Of several who broke it together nobody is told: each tries again alone.
    """
    if not alike:
        return True
    reading = asyncio.ensure_future(_answers(alike, conn))
    try:
        await asyncio.wait({reading})
    finally:
        reading.cancel()
    failure = reading.exception()
    is_whole = not isinstance(failure, SQLAlchemyError)
    if failure is None:
        for waiting, answer in zip(alike, reading.result(), strict=True):
            _answer(waiting, answer)
    elif is_whole or len(alike) == 1:
        for waiting in alike:
            _answer(waiting, failure)
    return is_whole


async def _answers(alike: Sequence[_Waiting], conn: AsyncConnection) -> Sequence[Any]:
    [first, *_] = alike
    if first.gather is not None:
        return await first.gather(conn, [waiting.item for waiting in alike])
    return [] if first.read is None else [await first.read(conn)]


def _alone(waiting: _Waiting) -> _Waiting:
    gather, item = waiting.gather, waiting.item
    if gather is None:
        return waiting

    async def read(conn: AsyncConnection) -> Any:
        [answer] = await gather(conn, [item])
        if isinstance(answer, Exception):
            raise answer
        return answer

    return _Waiting(waiting.found, read)


def _answer(waiting: _Waiting, answer: Any) -> None:
    if isinstance(answer, BaseException):
        _fail(waiting, answer)
    elif not waiting.found.done():
        waiting.found.set_result(answer)


def _fail(waiting: _Waiting, failure: BaseException) -> None:
    if not waiting.found.done():
        waiting.found.set_exception(failure)
