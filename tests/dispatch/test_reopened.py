"""What is due once is due once in each life of an incident that was opened again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, db, firing, incidents, states, store, tables, timers
from tests import factories as f


@pytest.fixture
async def means(database: str, now: datetime) -> AsyncIterator[firing.Means]:
    """Give the means of a runner whose clock the test moves."""
    engine = db.make_engine(database)
    yield firing.Means(db.Database(engine, None), f.POLICY, lambda: f.NETWORK, lambda: now)
    await engine.dispose()


async def _fire_until(means: firing.Means, until: datetime) -> list[str]:
    """Fire every timer of care that is due by a time, each at its own moment."""
    fired = []
    while True:
        async with means.database.snapshot() as conn:
            due = await timers.list_due(conn, [timers.Lane.PLANNING], limit=1, now=until)
        if not due:
            return fired
        assert await firing.fire(replace(means, clock=lambda at=due[0].due_at: at), due[0])
        fired.append(due[0].kind.value)


async def _asked(means: firing.Means) -> list[sa.RowMapping]:
    async with means.database.snapshot() as conn:
        rows = await conn.execute(sa.select(tables.survey).order_by(tables.survey.c.asked_at))
        return list(rows.mappings())


async def test_CARE_2_who_goes_again_after_a_reopening_is_asked_once_and_not_on_the_way(
    means: firing.Means, now: datetime
) -> None:
    async with means.database.transaction() as conn:
        scene = await f.make_scene(conn, people=1, kind=states.Kind.TRAUMA, now=now)
        by, closed_at = scene.operator, await _go_and_close(conn, scene, now)
        again = closed_at + timedelta(minutes=80)
        await incidents.reopen(conn, scene.incident.id, by=by, now=again)
        taken = await _go(conn, scene, again)
    # The first mission's time comes while the person is on the second.
    fired = await _fire_until(means, closed_at + timedelta(minutes=100))
    assert fired == ["survey"]
    assert await _asked(means) == []
    ended_at = closed_at + timedelta(minutes=110)
    async with means.database.transaction() as conn:
        await incidents.close(
            conn, scene.incident.id, states.Disposition.CANCELLED, by=by, now=ended_at
        )
    await _fire_until(means, ended_at + timedelta(hours=3))
    [asked] = await _asked(means)
    assert (asked["assignment_id"], asked["asked_at"]) == (
        taken.id, ended_at + timedelta(minutes=90),
    )  # fmt: skip
    # Days later it is another mission, and another question.
    later = now + timedelta(days=3)
    async with means.database.transaction() as conn:
        await incidents.reopen(conn, scene.incident.id, by=by, now=later)
        await _go_and_close(conn, scene, later)
    await _fire_until(means, later + timedelta(hours=3))
    assert [row["round"] for row in await _asked(means)] == [1, 1]


async def _go(conn: AsyncConnection, scene: f.Scene, now: datetime) -> store.Assignment:
    """Let the first of a scene, whose place is known, set out."""
    person = scene.responders[0]
    await conn.execute(sa.update(tables.last_position).values(at=now, received_at=now))
    alert = (await f.send(conn, scene, named=[person], now=now)).alerts[0]
    taken = await alerts.accept(conn, alert.id, policy=f.POLICY, by=person, now=now)
    return await assignments.step(
        conn, taken.id, states.Assignment.EN_ROUTE, policy=f.POLICY, by=person, now=now
    )


async def _go_and_close(conn: AsyncConnection, scene: f.Scene, now: datetime) -> datetime:
    """Let the first of a scene set out, and close the incident a minute later."""
    await _go(conn, scene, now)
    ended_at = now + timedelta(minutes=1)
    await incidents.close(
        conn, scene.incident.id, states.Disposition.CANCELLED, by=scene.operator, now=ended_at
    )
    return ended_at
