"""A runner's sign of life: a row every few seconds, written the way a timer is fired."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping
from typing import NoReturn

import psycopg
import sqlalchemy.exc
import structlog

from dispatch import db, health, refusals
from dispatch.timers import Lane
from realtime import clocks, deadline, watch

_log = structlog.get_logger(__name__)

WITHIN_S = 3.0
_FAILS = (OSError, psycopg.Error, sqlalchemy.exc.SQLAlchemyError)


class Beating:
    """Says that this runner is alive, and sets its clock meanwhile."""

    def __init__(
        self,
        database: db.Database,
        clock: clocks.Clock,
        lanes: Collection[Lane],
        answers: refusals.Refusals,
    ) -> None:
        self.process = secrets.token_hex(8)
        self._database = database
        self._clock = clock
        self._lanes = sorted(lane.value for lane in lanes)
        self._answers = answers

    async def run(self, every_s: float = watch.BEAT_EVERY_S) -> NoReturn:
        """Beat until cancelled; while the database is away nobody hears it anyway."""
        while True:
            await self.try_once()
            await asyncio.sleep(every_s)

    async def try_once(self) -> None:
        """Beat; log a failure and leave it."""
        try:
            await deadline.within(WITHIN_S, self.beat())
        except _FAILS as error:  # TimeoutError is an OSError
            _log.warning("sign_of_life_not_written", error=type(error).__name__)

    async def beat(self) -> None:
        """Set the clock and write the row."""
        async with self._database.transaction() as conn:
            await health.set_clock(conn, self._clock)
            now = self._clock.now()
            body: Mapping[str, object] = {
                "lanes": self._lanes, "gateways": self._answers.counts(now=now)
            }  # fmt: skip
            await health.beat(conn, self.process, role=health.RUNNER, body=body, now=now)

    async def end(self) -> None:
        """Take the row away: who stops by itself is not dead."""
        try:
            await deadline.within(WITHIN_S, self._end())
        except _FAILS as error:
            _log.warning("sign_of_life_not_ended", error=type(error).__name__)

    async def _end(self) -> None:
        async with self._database.transaction() as conn:
            await health.end(conn, self.process)
