"""One emergency from the call to the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, errors, incidents, states, store, tables
from geo.position import Position
from tests import factories as f

A = states.Assignment


async def test_INC_3_numbers_run_by_organisation_and_local_year(conn: AsyncConnection) -> None:
    one, two = await f.make_org(conn), await f.make_org(conn)
    # Half past midnight in Monaco, still the old year in UTC.
    night = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    day = night - timedelta(hours=12)
    numbers = [
        (await f.make_incident(conn, org, now=at)).number
        for org, at in [(one, day), (one, day), (two, day), (one, night)]
    ]
    assert numbers == ["2026-000001", "2026-000002", "2026-000001", "2027-000001"]


async def test_INC_4_an_unknown_organisation_opens_nothing(
    conn: AsyncConnection, now: datetime
) -> None:
    with pytest.raises(errors.NotFound):
        await f.make_incident(conn, store.new_id(), now=now)


async def test_INC_5_a_correction_needs_the_present_version(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    old = scene.incident.version
    change = incidents.Correction(floor="5")
    after = await incidents.edit(
        conn, scene.incident.id, change, version=old, by=scene.operator, now=now
    )
    assert (after.floor, after.version) == ("5", old + 1)
    with pytest.raises(errors.StaleVersion) as refused:
        await incidents.edit(
            conn, scene.incident.id, change, version=old, by=scene.operator, now=now
        )
    assert refused.value.state == {"version": old + 1}
    same = await incidents.edit(
        conn, scene.incident.id, change, version=old + 1, by=scene.operator, now=now
    )
    assert same.version == old + 1


async def test_INC_6_a_corrected_place_is_shown_again_to_everyone_involved(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    first, second, third, _ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    await alerts.decline(conn, third.id, policy=f.POLICY, by=third.responder_id, now=now)
    incident = await store.get_incident(conn, scene.incident.id)
    await incidents.edit(
        conn, incident.id, {"position": Position(7.42, 43.74)},
        version=incident.version, by=scene.operator, now=now,
    )  # fmt: skip
    revisions = [(await store.get_alert(conn, a.id)).revision for a in (first, second, third)]
    assert revisions == [2, 2, 1]


async def test_INC_7_a_stand_down_stops_everyone_but_who_has_handed_over(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    done, going, no, silent = (await f.send(conn, scene, now=now)).alerts
    work = [
        await alerts.accept(conn, a.id, policy=f.POLICY, by=a.responder_id, now=now)
        for a in (done, going)
    ]
    for step in (A.ON_SCENE, A.HANDED_OVER):
        await assignments.step(
            conn, work[0].id, step, policy=f.POLICY, by=done.responder_id, now=now
        )
    await alerts.decline(conn, no.id, policy=f.POLICY, by=no.responder_id, now=now)
    stopped = await incidents.stand_down(
        conn, scene.incident.id, reason="误报", by=scene.operator, now=now
    )
    assert stopped.stood_down_at == now
    told = [await store.get_alert(conn, a.id) for a in (done, going, no, silent)]
    assert [a.stood_down_at for a in told] == [None, now, None, now]
    assert [a.status.value for a in told] == ["accepted", "accepted", "declined", "stood_down"]
    ends = [(await store.get_assignment(conn, w.id)).status for w in work]
    assert ends == [A.HANDED_OVER, A.STOOD_DOWN]
    left = await conn.scalar(
        sa.select(sa.func.count()).where(tables.timer.c.incident_id == scene.incident.id)
    )
    assert left == 0
    again = await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
    assert again.version == stopped.version


async def test_INC_8_closing_ends_everything_and_forgets_where_people_were(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    done, *_ = (await f.send(conn, scene, now=now)).alerts
    work = await alerts.accept(conn, done.id, policy=f.POLICY, by=done.responder_id, now=now)
    for step in (A.ON_SCENE, A.HANDED_OVER):
        await assignments.step(conn, work.id, step, policy=f.POLICY, by=done.responder_id, now=now)
    closed = await incidents.close(
        conn, scene.incident.id, states.Disposition.COMPLETED, by=scene.operator, now=now
    )
    assert (closed.status, closed.closed_at) == (states.Incident.CLOSED, now)
    assert (await store.get_assignment(conn, work.id)).status is A.CLEARED
    asked = await store.list_alerts(conn, tables.alert.c.incident_id == closed.id)
    assert not any(alert.is_live for alert in asked)
    assert {alert.from_position for alert in asked} == {None}
    again = await incidents.close(
        conn, closed.id, states.Disposition.COMPLETED, by=scene.operator, now=now
    )
    assert again == closed
    with pytest.raises(errors.IncidentClosed):
        await incidents.close(
            conn, closed.id, states.Disposition.CANCELLED, by=scene.operator, now=now
        )


async def test_INC_2_closing_is_refused_while_the_ambulance_is_unknown(
    conn: AsyncConnection, now: datetime
) -> None:
    org_id = await f.make_org(conn)
    incident = await f.make_incident(conn, org_id, ambulance=states.Ambulance.UNKNOWN, now=now)
    operator = await f.make_person(conn, org_id)
    completed = states.Disposition.COMPLETED
    with pytest.raises(errors.AmbulanceUnknown):
        await incidents.close(conn, incident.id, completed, by=operator, now=now)
    known = await incidents.set_ambulance(
        conn, incident.id, states.Ambulance.DISPATCHED, eta_s=300, by=operator, now=now
    )
    assert known.ambulance_eta_at == now + timedelta(seconds=300)
    await incidents.close(conn, incident.id, completed, by=operator, now=now)


async def test_INC_9_a_closed_incident_takes_notes_and_nothing_else(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    by, incident_id = scene.operator, scene.incident.id
    await incidents.close(conn, incident_id, states.Disposition.CANCELLED, by=by, now=now)
    line = await incidents.note(conn, incident_id, "late remark", by=by, now=now)
    struck = await incidents.strike(conn, incident_id, line.id, by=by, now=now)
    later = now + timedelta(seconds=5)
    again = await incidents.strike(conn, incident_id, line.id, by=by, now=later)
    assert again.struck_at == struck.struck_at == now
    for refused in (
        incidents.stand_down(conn, incident_id, by=by, now=now),
        incidents.set_ambulance(conn, incident_id, states.Ambulance.ON_SCENE, by=by, now=now),
        incidents.edit(conn, incident_id, {"floor": "1"}, version=1, by=by, now=now),
        f.make_plan(conn, incident_id, now=now),
    ):
        with pytest.raises(errors.IncidentClosed):
            await refused


async def test_INC_10_reopening_takes_up_where_it_ended_and_asks_nobody(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    by, incident_id = scene.operator, scene.incident.id
    await incidents.close(conn, incident_id, states.Disposition.FALSE_ALARM, by=by, now=now)
    opened = await incidents.reopen(conn, incident_id, by=by, now=now)
    assert (opened.status, opened.disposition) == (states.Incident.RESPONDING, None)
    assert (await incidents.reopen(conn, incident_id, by=by, now=now)).version == opened.version
    left = await conn.scalar(
        sa.select(sa.func.count()).where(tables.timer.c.incident_id == incident_id)
    )
    assert left == 0


async def test_INC_21_who_was_told_to_stop_is_asked_again_only_after_a_reopening(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=3, kind=states.Kind.TRAUMA, now=now)
    incident_id, by = scene.incident.id, scene.operator
    first, second, third = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    await alerts.decline(conn, second.id, policy=f.POLICY, by=second.responder_id, now=now)
    later = now + timedelta(minutes=1)
    await incidents.stand_down(conn, incident_id, by=by, now=later)
    plan = await f.make_plan(conn, incident_id, now=later)
    found = {item.person.id: item.reason for item in plan.excluded}
    assert found == {
        first.responder_id: "stood_down_before",
        second.responder_id: "already_alerted",
        third.responder_id: "stood_down_before",
    }
    await incidents.close(conn, incident_id, states.Disposition.FALSE_ALARM, by=by, now=later)
    later += timedelta(minutes=1)
    await incidents.reopen(conn, incident_id, by=by, now=later)
    sent = await f.send(conn, scene, now=later)
    assert {alert.responder_id for alert in sent.alerts} == set(scene.responders)
    # From there on it goes as ever: nobody twice, and a correction touches the new alerts alone.
    plan = await f.make_plan(conn, incident_id, now=later)
    assert {item.reason for item in plan.excluded} == {"already_alerted"}
    incident = await store.get_incident(conn, incident_id)
    place = incidents.Correction(position=f.north_of(f.HARBOUR, 20))
    await incidents.edit(conn, incident_id, place, version=incident.version, by=by, now=later)
    everyone = await store.list_alerts(conn, tables.alert.c.incident_id == incident_id)
    assert [alert.revision for alert in everyone] == [1, 1, 1, 2, 2, 2]


async def test_INC_11_only_an_exercise_is_faster_than_life(
    conn: AsyncConnection, now: datetime
) -> None:
    org_id = await f.make_org(conn)
    real = await f.make_incident(conn, org_id, drill_speed=20, now=now)
    drill = await f.make_incident(conn, org_id, exercise=True, drill_speed=20, now=now)
    assert (real.drill_speed, drill.drill_speed) == (1, 20)
