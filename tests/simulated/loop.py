"""An asyncio loop without a clock, a socket or a thread: time jumps, chance decides the order.

What is ready at one instant runs in an order drawn from the seed; where nothing is ready, time goes
to the next timer. So a second costs what is done in it, and a seed is one history, always the same.
docs/decisions/0011-simulated-loop.md says why it is our own.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import socket
import threading
import time
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

#: Callbacks at one instant; more are taken for a loop that waits for nothing.
STEPS_MOST = 100_000


class Stuck(Exception):
    """Nobody will ever do anything again, or everybody does without end."""


class RefusedIO(Exception):
    """Something reached for the real world."""


class Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address."""

    _numbers = itertools.count()

    def __new__(cls, *_: Any, **__: Any) -> Task:
        """Number it: asyncio hashes it before `__init__` is over."""
        task = super().__new__(cls)
        task.number = next(cls._numbers)
        return task

    def __hash__(self) -> int:
        return self.number


class SimulatedLoop(asyncio.BaseEventLoop):
    """A loop for one seed; `is_shuffled` or, as asyncio does, first come first served."""

    def __init__(self, chance: random.Random, *, is_shuffled: bool = True) -> None:
        super().__init__()
        self.is_shuffled = is_shuffled
        self.steps = 0
        #: All that ever ran, and what asyncio had to complain of.
        self.tasks: list[Task] = []
        self.complaints: list[str] = []
        #: What still ran at the end.
        self.unended: list[str] = []
        self._chance = chance
        self._now = 0.0
        self._at_once = 0
        Task._numbers = itertools.count()
        self.set_task_factory(self._make_task)
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        """Give the simulated second."""
        return self._now

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run to the end and close, with the real world out of reach."""
        try:
            with _sealed():
                try:
                    return self.run_until_complete(main)
                finally:
                    self._clear_up()
        finally:
            self.close()

    def _clear_up(self) -> None:
        """Note which tasks still run, and end them."""
        left = [task for task in self.tasks if not task.done()]
        self.unended = [f"{task.get_name()} {task.get_coro()!r}" for task in left]
        for task in left:
            task.cancel()
        self._at_once = 0
        if left:
            with suppress(Stuck):
                self.run_until_complete(asyncio.wait(left))

    def swallowed(self) -> list[str]:
        """Say which tasks failed without anybody's asking."""
        failed = [task for task in self.tasks if task.done() and task._log_traceback]
        return [f"{task.get_name()}: {task.exception()!r}" for task in failed]

    def _make_task(
        self, _loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> Task:
        task = Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    def _complain(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context['message']}: {context.get('exception')!r}")

    def _run_once(self) -> None:
        ready: deque[asyncio.Handle] = self._ready
        if not ready and not self._stopping:
            self._go_on()
        self._take_due()
        batch = list(ready)
        ready.clear()
        self.steps += len(batch)
        self._at_once += len(batch)
        if self._at_once > STEPS_MOST:
            raise Stuck(f"without end at {self._now}: {batch[:3]}")
        if self.is_shuffled and len(batch) > 1:
            self._chance.shuffle(batch)
        for handle in batch:
            if not handle._cancelled:
                handle._run()

    def _go_on(self) -> None:
        """Let time go on to the next thing that is to happen."""
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not timers:
            raise Stuck(f"nothing will happen after {self._now}")
        if timers[0]._when > self._now:
            self._now = timers[0]._when
            self._at_once = 0

    def _take_due(self) -> None:
        timers = self._scheduled
        while timers and timers[0]._when <= self._now:
            handle = heapq.heappop(timers)
            handle._scheduled = False
            self._ready.append(handle)

    # ---- what a loop would need the world for

    def _refuse(self, *_: Any) -> NoReturn:
        raise RefusedIO("another thread is wanted")

    run_in_executor = _write_to_self = _refuse


@contextmanager
def _sealed() -> Iterator[None]:
    """Keep whoever runs on a simulated loop from sockets, threads and real time."""
    with (
        replaced(socket.socket, __init__=_refused(socket.socket.__init__, "a socket")),
        replaced(threading.Thread, start=_refused(threading.Thread.start, "a thread")),
        replaced(time, sleep=_refused(time.sleep, "a sleep")),
    ):
        yield


def _refused(known: Callable[..., Any], what: str) -> Callable[..., Any]:
    def instead(*given: Any, **named: Any) -> Any:
        # Other threads, such as the test runner's, go on as they are.
        if isinstance(events._get_running_loop(), SimulatedLoop):
            raise RefusedIO(f"{what} is wanted")
        return known(*given, **named)

    return instead


@contextmanager
def replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """Put others in the place of attributes, and what was there back at the end."""
    known = {name: owner.__dict__[name] for name in attributes}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in known.items():
            setattr(owner, name, value)
