"""Waits that end: for a database that hangs, and for a Redis that need not be asked just now."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

# Work that outlived its deadline. It was cancelled and ends by itself; kept here so that it is
# neither collected half-way nor waited for.
_left_behind: set[asyncio.Task[object]] = set()


async def within(seconds: float, work: Coroutine[object, object, T]) -> T:
    """Run the work; raise TimeoutError at the deadline even where the work will not be cancelled.

    `asyncio.timeout` alone is not enough: a psycopg query to a hung server takes ten seconds
    more to give way. The work is cancelled and left to end by itself.
    """
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _leave(task)
        raise
    if not done:
        _leave(task)
        raise TimeoutError(f"no answer within {seconds} s")
    return task.result()


async def let_end(seconds: float) -> None:
    """Wait for what was left behind, so long at most: its connections are about to be closed."""
    loop = asyncio.get_running_loop()
    own = {task for task in _left_behind if task.get_loop() is loop}
    if own:
        await asyncio.wait(own, timeout=seconds)


def _leave(task: asyncio.Task[T]) -> None:
    task.cancel()
    _left_behind.add(task)
    task.add_done_callback(_forget)


def _forget(task: asyncio.Task[object]) -> None:
    _left_behind.discard(task)
    if not task.cancelled():
        task.exception()  # nobody waits for it any more; reading it silences the loop's warning


class Breaker:
    """Leaves a failing service alone for a while, so that one caller waits and not every one."""

    def __init__(self, pause_s: float) -> None:
        self.succeeded = 0
        self.failed = 0
        self.skipped = 0
        self.pause_s = pause_s
        self._closed_until = 0.0

    def lets_through(self) -> bool:
        """Say whether the service is worth asking now; count the call as skipped if not."""
        if asyncio.get_running_loop().time() >= self._closed_until:
            return True
        self.skipped += 1
        return False

    def note(self, *, success: bool) -> None:
        """Count how a call ended; after a failure the pause begins."""
        if success:
            self.succeeded += 1
            return
        self.failed += 1
        self._closed_until = asyncio.get_running_loop().time() + self.pause_s


class Breakers:
    """A breaker for each client of a service, kept as long as the client."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._known: WeakKeyDictionary[object, Breaker] = WeakKeyDictionary()

    def of(self, client: object) -> Breaker:
        """Give the breaker of a client."""
        breaker = self._known.get(client)
        if breaker is None:
            breaker = self._known[client] = Breaker(self._pause_s)
        return breaker
