"""Turns away what can wait while a process has more to do than it can: statistics, then positions.

Alarms, phones' answers, acks and the live log are never turned away here. What counts is how many
requests are under way in this process, not a clock: a slow machine alone turns nobody away.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from enum import IntEnum

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import problems

#: Exports, lists and statistics that are worked on at once in this process, and that may wait.
AT_ONCE = 2
WAITING_MOST = 16
#: Longer than this nobody waits for a turn.
WAIT_S = 5.0
#: So long one of them waits for a moment in which no alarm is under way: a list of hundreds takes
#: the process for itself for tens of milliseconds, and an alarm would meet several of them.
YIELDS_S = 0.5
#: With so many requests of any kind under way, exports and statistics are turned away at once,
#: and with so many positions as well.
BUSY, FLOODED = 64, 128


class Rank(IntEnum):
    """How long something can wait; the higher, the sooner it is turned away."""

    URGENT = 0
    POSITION = 1
    STATISTICS = 2


_STATISTICS = re.compile(
    r"/ogc(/.*)?|/api/v1/(openapi\.json|coverage|isochrone|matrix|simulation[^/]*|imports|incidents"
    r"|responders|aeds|board/figures|incidents/[^/]+/review)(/export[^/]*)?"
)
_POLL = "/api/v1/live/poll"
_POSITION = re.compile(r"/api/v1/(me/position|track/.*)")


def rank(method: str, path: str) -> Rank:
    """Say how long a request can wait. What writes is urgent, but for positions."""
    if _POSITION.fullmatch(path) and (method != "GET" or "/track/" in path):
        return Rank.POSITION
    if _STATISTICS.fullmatch(path) and (method == "GET" or path == "/api/v1/matrix"):
        return Rank.STATISTICS
    return Rank.URGENT


class Shedding:
    """Answers 503 with `Retry-After`; plain ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way = 0
        self._urgent = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._waiting = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or turn it away."""
        # A phone that waits for news is no work.
        if scope["type"] != "http" or scope["path"] == _POLL:
            await self._app(scope, receive, send)
            return
        how_long = rank(scope["method"], scope["path"])
        if self._is_too_much(how_long):
            await problems.answer(Request(scope), "unavailable")(scope, receive, send)
            return
        self._under_way += 1
        try:
            match how_long:
                case Rank.STATISTICS:
                    await self._in_turn(scope, receive, send)
                case Rank.URGENT:
                    await self._at_once(scope, receive, send)
                case Rank.POSITION:
                    await self._app(scope, receive, send)
        finally:
            self._under_way -= 1

    async def _at_once(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._urgent += 1
        self._calm.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._urgent -= 1
            if not self._urgent:
                self._calm.set()

    def _is_too_much(self, how_long: Rank) -> bool:
        match how_long:
            case Rank.STATISTICS:
                return self._under_way >= BUSY or self._waiting >= WAITING_MOST
            case Rank.POSITION:
                return self._under_way >= FLOODED
            case _:
                return False

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Work on it when it is its turn, which ends with the first of the answer.

        So a client that reads its export slowly keeps nobody waiting.
        """
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                await self._turns.acquire()
        except TimeoutError:
            await problems.answer(Request(scope), "unavailable")(scope, receive, send)
            return
        finally:
            self._waiting -= 1
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._turns.release()

        async def send_and_end(message: Message) -> None:
            if message["type"] == "http.response.body":
                end()
            await send(message)

        try:
            await self._let_pass()
            await self._app(scope, receive, send_and_end)
        finally:
            end()

    async def _let_pass(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(YIELDS_S):
                await self._calm.wait()
