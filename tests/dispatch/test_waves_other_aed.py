"""An AED that cannot be had: everybody who was to fetch it is led another way."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from dispatch import (
    allocations,
    assignments,
    firing,
    rerouting,
    states,
    store,
    tables,
)
from geo import aed_reports, aeds
from tests import alarms
from tests import factories as f


async def _fetchers(
    means: firing.Means, *, exercise: bool = False
) -> tuple[f.Scene, list[store.Alert], aeds.Aed]:
    """Make a scene in which three people are on their way to one AED; another one hangs near."""
    now = means.clock()
    async with means.database.transaction() as conn:
        org_id = await f.make_org(conn)
        operator = await f.make_person(conn, org_id)
        crew = [
            await f.make_responder(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (150, 200, 250, 50)
        ]
        wrong, right = [
            await f.make_aed(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (100, 180)
        ]
        incident = await f.make_incident(conn, org_id, exercise=exercise, now=now)
        scene = f.Scene(org_id, "", operator, tuple(crew), (wrong, right), incident)
        sent = await f.send(conn, scene, policy=f.POLICY, named=crew, now=now)
        await conn.execute(
            sa.update(tables.alert)
            .where(tables.alert.c.responder_id.in_(crew[:3]))
            .values(role="via_aed", aed_id=wrong.id)
        )
    mine = {a.responder_id: a for a in sent.alerts}
    return scene, [mine[person] for person in crew], wrong


async def _report(
    means: firing.Means, aed: aeds.Aed, by: store.Alert, kind: str = "missing"
) -> None:
    async with means.database.transaction() as conn:
        await rerouting.report(
            conn, aed.id, aed_reports.ReportKind(kind), by=by.responder_id, now=means.clock()
        )


_TOLD_AGAIN = sa.text("""
select topic, kind from event
where kind in ('mission_changed', 'alert_changed') and body -> 'alert' ->> 'revision' = '2'
""")


async def test_WAV_5_everybody_who_was_to_fetch_it_is_led_another_way(
    means: firing.Means, now: datetime
) -> None:
    scene, (first, second, third, direct), wrong = await _fetchers(means)
    for alert in (first, second):
        await alarms.accept(means, alert)
    await _report(means, wrong, first)
    assert "reroute" in await alarms.fire_due(means)
    asked = {a.id: a for a in await alarms.asked(means, scene)}
    going = {a.alert_id: a for a in await alarms.going(means, scene)}
    # The one AED that is left goes to whom it brings soonest: the one who stands next to it.
    right = scene.aeds[1].id
    roles = [(asked[a.id].role.value, getattr(asked[a.id].aed, "id", None)) for a in
             (first, second, third, direct)]  # fmt: skip
    assert roles.count(("via_aed", right)) == 1
    assert roles.count(("direct", None)) == 3
    for alert in (first, second):
        assert going[alert.id].role is asked[alert.id].role
        assert going[alert.id].aed == asked[alert.id].aed
    assert [asked[a.id].revision for a in (first, second, third, direct)] == [2, 2, 2, 1]
    async with means.database.transaction() as conn:
        told = await conn.execute(_TOLD_AGAIN)
        kinds: dict[str, str] = {row.topic: row.kind for row in told}
        device = await aeds.get(conn, wrong.id)
        [task] = (await conn.execute(sa.select(tables.task))).mappings()
        records = await store.list_allocations(conn, scene.incident.id)
    assert kinds == {
        f"person:{first.responder_id}": "mission_changed",
        f"person:{second.responder_id}": "mission_changed",
        f"person:{third.responder_id}": "alert_changed",
    }
    assert device.suspect_since == now
    assert (task["kind"], task["subject_id"]) == ("aed_problem", wrong.id)
    assert records[0]["inputs"]["values"]["call"] == "reroute"
    said = {"aed_reported", "aed_replaced"}
    lines = [line.kind for line in await alarms.lines(means, scene) if line.kind in said]
    assert lines == ["aed_reported", "aed_replaced"]


async def test_WAV_5_the_record_of_another_way_replays(means: firing.Means) -> None:
    scene, (first, *_), wrong = await _fetchers(means)
    await alarms.accept(means, first)
    await _report(means, wrong, first, "locked")
    await alarms.fire_due(means)
    async with means.database.transaction() as conn:
        [record, *_] = await store.list_allocations(conn, scene.incident.id)
    again = allocations.replay(record["inputs"])
    kept = {item["responder"]: (item["role"], item["aed"]) for item in record["chosen"]}
    assert kept == {
        str(choice.id): (choice.role.value, None if choice.aed_id is None else str(choice.aed_id))
        for choice in again.chosen
    }


async def test_WAV_5_who_carries_a_dead_one_goes_on_without_it(means: firing.Means) -> None:
    scene, (first, second, *_), wrong = await _fetchers(means)
    mine = await alarms.accept(means, first)
    await alarms.accept(means, second)
    async with means.database.transaction() as conn:
        await assignments.step(
            conn, mine.id, states.Assignment.AED_COLLECTED, policy=means.policy,
            by=first.responder_id, now=means.clock(),
        )  # fmt: skip
    await _report(means, wrong, first, "broken")
    await alarms.fire_due(means)
    [one, other] = await alarms.going(means, scene)
    assert (one.role, one.status) == (states.Role.DIRECT, states.Assignment.AED_COLLECTED)
    assert getattr(other.aed, "id", None) != wrong.id


async def test_WAV_5_what_somebody_else_says_leads_nobody_another_way(means: firing.Means) -> None:
    scene, (first, *_, direct), wrong = await _fetchers(means)
    await alarms.accept(means, first)
    await alarms.accept(means, direct)
    await _report(means, wrong, direct)
    await _report(means, wrong, first, "other")
    assert "reroute" not in await alarms.fire_due(means)
    assert [a.revision for a in await alarms.asked(means, scene)] == [1] * 4


async def test_WAV_7_an_exercise_leaves_the_registry_alone(means: firing.Means) -> None:
    scene, (first, *_), wrong = await _fetchers(means, exercise=True)
    await alarms.accept(means, first)
    await _report(means, wrong, first)
    assert "reroute" in await alarms.fire_due(means)
    async with means.database.transaction() as conn:
        device = await aeds.get(conn, wrong.id)
        tasks = await conn.scalar(sa.select(sa.func.count()).select_from(tables.task))
        reports = await aed_reports.list_reports(conn, wrong.id)
        plan = await f.make_plan(conn, scene.incident.id, policy=f.POLICY, now=means.clock())
    assert (device.suspect_since, tasks, reports) == (None, 0, [])
    assert wrong.id not in {item.aed.id for item in plan.aeds}  # but this alarm knows of it
