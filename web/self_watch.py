"""A process that notices its own failure first: it sends itself an alert that concerns nobody.

Every ten seconds a canary goes the whole way (PostgreSQL, log, tailer, hub, a listener), and on the
same connection this process reads what waits too long and who is alive. What is broken goes with
the heartbeats to the consoles, which need no log for that, to /readyz and to /metrics.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import NoReturn

import psycopg
import sqlalchemy.exc
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import health
from realtime import canary, clocks, deadline, log, watch
from realtime.protocol import Mark
from web.live import Live

_logger = logging.getLogger(__name__)

ROLE = "app"
#: Storing a canary, and its way back; longer is a miss.
STORE_WITHIN_S = 3.0
HEARD_WITHIN_S = 3.0
#: After a miss, and while something is broken, the next canary goes sooner.
AGAIN_S = 2.0
#: A process judges the others once it has looked so often: whoever starts all may start it first.
GRACE_LOOKS = 1.5
#: What this process sees of itself costs nothing to look at.
JUDGE_EVERY_S = 0.25
#: Whoever was held up for longer by its own machine has first to let the others do their work.
HELD_UP_S = 1.0
#: How long a start waits for the database's clock; without a database it goes on.
BEGIN_WITHIN_S = 1.0

_FAILS = (OSError, psycopg.Error, sqlalchemy.exc.SQLAlchemyError)  # TimeoutError is an OSError


class SelfWatch:
    """Watches the way of an alert through one app process."""

    def __init__(self, live: Live, clock: clocks.Clock, *, every_s: float) -> None:
        self.troubles: Sequence[watch.Trouble] = ()
        self.health: health.Health | None = None
        self.clock = clock
        self.live = live
        self.grace_s = GRACE_LOOKS * every_s
        self._every_s = every_s
        self._process = secrets.token_hex(8)
        self._canary = canary.Canary(live.hub, self._process, look=self._where)
        self._register = watch.Register()
        self._reported: list[watch.Fault] = []
        self._started = self._awake_since = self._judged_at = 0.0
        self._unstored = self._unheard = 0
        # For the metrics.
        self.sung = 0
        self.missed = 0
        self.took_s = 0.0
        self.seen_at = clock.now()

    async def begin(self) -> None:
        """Set the clock before anything is served, where there is a database."""
        try:
            await deadline.within(BEGIN_WITHIN_S, self._set_clock())
        except _FAILS as error:
            _logger.warning("the clock is this machine's own for now: %s", type(error).__name__)

    async def run(self) -> None:
        """Watch until cancelled."""
        self._started = self._awake_since = self._judged_at = _time()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._canary.run(), name="canary's ear")
            tasks.create_task(self._sing_often(), name="canary")
            tasks.create_task(self._judge_often(), name="judge")

    # ---- the canary

    async def _sing_often(self) -> NoReturn:
        while True:
            is_well = not (self._unstored or self._unheard or self._reported)
            await asyncio.sleep(self._every_s if is_well else min(AGAIN_S, self._every_s))
            await self.sing()

    async def sing(self) -> None:
        """Send one canary and note whether it was stored and heard."""
        began, self.sung = _time(), self.sung + 1
        try:
            number = await deadline.within(STORE_WITHIN_S, self._store())
        except _FAILS as error:
            self._miss("stored", error)
            self._unstored += 1
            return
        self._unstored = 0
        try:
            async with asyncio.timeout(HEARD_WITHIN_S):
                await self._canary.heard(number)
        except TimeoutError as error:
            self._miss("heard", error)
            self._unheard += 1
            return
        self._unheard, self.took_s = 0, _time() - began

    def _miss(self, what: str, error: Exception) -> None:
        self.missed += 1
        _logger.warning("the canary was not %s: %s", what, type(error).__name__)

    async def _store(self) -> int:
        async with self.live.database.transaction() as conn:
            await health.set_clock(conn, self.clock)
            now = self.clock.now()
            seen = await health.look(conn, now=now)
            await health.beat(conn, self._process, role=ROLE, body={}, now=now)
            await canary.forget(conn, before=now - health.REMEMBER)
            number = await self._canary.sing(conn, now=now)
        self.health, self.seen_at = seen, now
        is_new = _time() - self._started < self.grace_s
        self._reported = [] if is_new else health.judge(seen, now=now)
        return number

    async def _set_clock(self) -> None:
        async with self.live.database.single() as conn:
            await health.set_clock(conn, self.clock)

    async def _where(self, topic: str) -> Mark:
        async def read(conn: AsyncConnection) -> Mark:
            return (await log.position_of(conn, [topic]))[topic]

        while True:
            try:
                return await self.live.look(read)
            except _FAILS:
                await asyncio.sleep(AGAIN_S)

    # ---- the judge

    async def _judge_often(self) -> NoReturn:
        while True:
            self.judge()
            await asyncio.sleep(JUDGE_EVERY_S)

    def judge(self) -> None:
        """Put together what is broken, and tell the consoles when that has changed."""
        if _time() - self._judged_at > HELD_UP_S:
            self._awake_since = _time()
        self._judged_at = _time()
        faults = [*watch.judge(self._signs(), apart_s=clocks.APART_S), *self._reported]
        before = {trouble.fault.key for trouble in self.troubles}
        self.troubles = self._register.note(faults, now=self.clock.now())
        for trouble in self.troubles:
            if trouble.fault.key not in before:
                _logger.error("broken: %s %s", *trouble.fault.key)
        for key in before - {trouble.fault.key for trouble in self.troubles}:
            _logger.warning("mended: %s %s", *key)
        self.live.hub.alarm([trouble.out() for trouble in self.troubles])

    def _signs(self) -> watch.Signs:
        tailer = self.live.tailer
        return watch.Signs(
            time=_time(),
            awake_since=self._awake_since,
            look_began_at=tailer.look_began_at,
            looked_at=tailer.looked_at,
            deaf_since=None if tailer.link is None else tailer.link.deaf_since,
            unstored=self._unstored,
            unheard=self._unheard,
            skew_s=self.clock.skew_s,
        )


def _time() -> float:
    return asyncio.get_running_loop().time()
