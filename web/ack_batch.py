"""Acks of many phones stored together: a mass incident is acknowledged by thousands in one second.

Whatever has come while one batch was being stored is the next, so a single ack waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.exc import SQLAlchemyError

from dispatch import alerts, db, errors
from realtime import deadline
from web import dependencies

#: Acks in one transaction: each incident's become one event of their boards.
AT_ONCE = 100

#: A batch takes no longer, or each phone says its ack again.
STORE_WITHIN_S = 4.0

#: A stopping process waits so long for them.
END_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    receipt: alerts.Receipt
    stored: asyncio.Future[None]

    def end(self, failure: Exception | None) -> None:
        if self.stored.done():
            return
        if failure is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(failure)


class AckBatch:
    """One process's acks on their way to a database."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def store(self, database: db.Database, receipt: alerts.Receipt) -> None:
        """Return once it is committed. Raises NotFound, and what the database raises."""
        waiting = _Waiting(receipt, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._work is None:
            self._work = asyncio.create_task(self._store_all(database), name="live acks")
        await waiting.stored

    async def end(self) -> None:
        """Wait until what has come is stored; a phone sends again what nobody confirmed."""
        if self._work is not None:
            work = self._work
            await asyncio.wait([work], timeout=END_WITHIN_S)
            work.cancel()
            await asyncio.wait([work], timeout=END_WITHIN_S)

    async def _store_all(self, database: db.Database) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                await _store_in_time(database, batch)
        finally:
            self._work = None
            for waiting in (*batch, *self._waiting):  # nobody may wait for ever
                waiting.end(ConnectionError("the acks were not stored"))
            self._waiting = []


async def _store_in_time(database: db.Database, batch: Sequence[_Waiting]) -> None:
    """Store a batch, or tell its phones to say it again: a database that hangs keeps nobody."""
    try:
        await deadline.within(STORE_WITHIN_S, _store(database, batch))
    except TimeoutError as late:
        _end(batch, late)


async def _store(database: db.Database, batch: Sequence[_Waiting]) -> None:
    """Store a batch, each incident's by itself, and tell each waiting what became of it."""
    try:
        async with database.single() as conn:
            known = await alerts.incidents_of(conn, {w.receipt.alert_id for w in batch})
    except (SQLAlchemyError, OSError) as failure:
        _end(batch, failure)
        return
    by_incident: dict[UUID | None, list[_Waiting]] = {}
    for waiting in batch:
        by_incident.setdefault(known.get(waiting.receipt.alert_id), []).append(waiting)
    for incident_id, some in by_incident.items():
        if incident_id is None:
            _end(some, errors.NotFound())
        else:
            await _store_of(database, incident_id, some)


async def _store_of(database: db.Database, incident_id: UUID, batch: Sequence[_Waiting]) -> None:
    receipts = {waiting.receipt for waiting in batch}
    try:
        async with database.transaction() as conn:
            taken = await alerts.acknowledge_all(
                conn, incident_id, receipts, now=dependencies.clock()
            )
    except (SQLAlchemyError, OSError, errors.DispatchError) as failure:
        _end(batch, failure)
        return
    _end([waiting for waiting in batch if waiting.receipt in taken], None)
    _end(batch, errors.NotFound())  # of those that are left


def _end(batch: Sequence[_Waiting], failure: Exception | None) -> None:
    for waiting in batch:
        waiting.end(failure)


_batches: WeakKeyDictionary[db.Database, AckBatch] = WeakKeyDictionary()


def of(database: db.Database) -> AckBatch:
    """Give the batch of a database."""
    batch = _batches.get(database)
    if batch is None:
        batch = _batches[database] = AckBatch()
    return batch
