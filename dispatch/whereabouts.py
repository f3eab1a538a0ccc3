"""The last known position of a person, stored seldom: the live ones are in Redis."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import store, tables
from geo import position

#: A position is stored after this time, or as soon as the person has moved this far.
STORE_EVERY = timedelta(seconds=15)
STORE_EVERY_M = 100.0
#: Nobody on foot, on a bicycle or in a car moves faster; a fix that says so is a slip of the GPS.
FASTEST_MPS = 45.0
#: A fix that claims to be older than this comes from a phone whose clock is wrong.
OLDEST = timedelta(days=1)


class Outcome(StrEnum):
    """What became of a reported position."""

    STORED = "stored"
    KEPT = "kept"  # too near in time and place to the stored one, which stays
    IMPLAUSIBLE = "implausible"  # nobody moves that fast; worth nothing, not even live
    OLD = "old"  # a newer one is stored


async def report(
    conn: AsyncConnection, responder_id: UUID, fix: store.Fix, *, is_stated: bool, now: datetime
) -> Outcome:
    """Take a person's position; what a person states is believed, a stream of fixes is sifted.

    In an exercise the gate allows as many times the speed as the phones' movement is faster.
    """
    at = now if fix.at > now or fix.at < now - OLDEST else fix.at
    fix = store.Fix(fix.position, at, fix.accuracy_m)
    last = (await store.last_fixes(conn, [responder_id])).get(responder_id)
    if last is not None and not is_stated:
        verdict = _verdict(last, fix, FASTEST_MPS * await _drill_speed(conn, responder_id))
        if verdict is not Outcome.STORED:
            return verdict
    values = {
        "position": fix.position.ewkb(),
        "accuracy_m": fix.accuracy_m,
        "at": fix.at,
        "received_at": now,
    }
    await conn.execute(
        pg.insert(tables.last_position)
        .values(responder_id=responder_id, **values)
        .on_conflict_do_update(index_elements=["responder_id"], set_=values)
    )
    return Outcome.STORED


def _verdict(last: store.Fix, fix: store.Fix, fastest_mps: float) -> Outcome:
    passed_s = (fix.at - last.at).total_seconds()
    if passed_s < 0:
        return Outcome.OLD
    moved_m = position.distance_m(last.position, fix.position)
    if moved_m > fastest_mps * max(passed_s, 1.0):
        return Outcome.IMPLAUSIBLE
    is_due = passed_s >= STORE_EVERY.total_seconds() or moved_m >= STORE_EVERY_M
    return Outcome.STORED if is_due else Outcome.KEPT


async def _drill_speed(conn: AsyncConnection, responder_id: UUID) -> float:
    incident, assignment = tables.incident.c, tables.assignment.c
    speed = await conn.scalar(
        sa.select(incident.drill_speed)
        .join_from(tables.assignment, tables.incident, incident.id == assignment.incident_id)
        .where(
            assignment.responder_id == responder_id,
            assignment.ended_at.is_(None),
            incident.exercise,
        )
    )
    return float(speed or 1)
