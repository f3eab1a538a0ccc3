"""Where one phone says that it is: only the latest, shown at once, stored now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from dispatch import db, errors, responders, store, whereabouts
from geo import datum, position
from realtime import presence, protocol
from web import dependencies

#: Positions that come faster are replaced by the next.
SHOW_EVERY_S = 1.0

#: The last known position in the database is written again after this time or this way.
STORE_EVERY_S = 15.0
STORE_EVERY_M = 100.0

#: Whether somebody is on a mission, and whose, is asked this often.
ASK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Report:
    """A position in WGS-84, by the device's clock."""

    person_id: UUID
    position: position.Position
    accuracy_m: float | None
    at: datetime


def read(person_id: UUID, message: protocol.Position) -> Report:
    """Take over what a phone said. Raises ValueError for a place or a datum that is none."""
    crs = datum.Crs(message.crs)
    said = position.Position(message.lon, message.lat)
    place = position.Position(*datum.to_wgs84(said.lon, said.lat, crs))
    return Report(person_id, place, message.accuracy_m, message.at)


class Reporter:
    """Keeps the latest report of one phone and passes it on at a bounded pace."""

    def __init__(
        self, database: db.Database, redis: Redis, complain: Callable[[str, str], None]
    ) -> None:
        self._database = database
        self._redis = redis
        self._complain = complain
        self._latest: Report | None = None
        self._task: asyncio.Task[None] | None = None
        self._stored: Report | None = None
        self._stored_at = self._asked_at = float("-inf")
        self._topics: list[str] = []

    def take(self, report: Report, tasks: asyncio.TaskGroup) -> None:
        """Note a report; the one before it is forgotten if nobody has passed it on yet."""
        self._latest = report
        if self._task is None or self._task.done():
            self._task = tasks.create_task(self._pass_on(), name="live positions")

    def stop(self) -> None:
        """Pass nothing on any more."""
        if self._task is not None:
            self._task.cancel()

    async def _pass_on(self) -> None:
        while (report := self._latest) is not None:
            self._latest = None
            try:
                if await self._store(report):
                    await self._show(report)
            except errors.DispatchError as refused:
                self._complain(refused.code, str(refused))
            except (SQLAlchemyError, OSError):
                pass  # the next report will do
            await asyncio.sleep(SHOW_EVERY_S)

    async def _store(self, report: Report) -> bool:
        """Store the report if that is due; False where it cannot be true and is not shown."""
        now = asyncio.get_running_loop().time()
        is_due = self._is_worth_storing(report, now)
        if not is_due and now - self._asked_at < ASK_EVERY_S:
            return True
        fix = store.Fix(report.position, report.at, report.accuracy_m)
        async with self._database.transaction() as conn:
            outcome = await responders.report_position(
                conn, report.person_id, fix, now=dependencies.clock()
            )
            self._topics = await responders.live_topics(conn, report.person_id)
        self._asked_at = now
        if outcome is not whereabouts.Outcome.IMPLAUSIBLE:
            self._stored, self._stored_at = report, now
        return outcome is not whereabouts.Outcome.IMPLAUSIBLE

    def _is_worth_storing(self, report: Report, now: float) -> bool:
        if self._stored is None or now - self._stored_at >= STORE_EVERY_S:
            return True
        return position.distance_m(self._stored.position, report.position) >= STORE_EVERY_M

    async def _show(self, report: Report) -> None:
        where = report.position
        person = str(report.person_id)
        place = presence.Place(person, where.lon, where.lat, report.accuracy_m, report.at)
        await presence.put(self._redis, place, topics=self._topics)
