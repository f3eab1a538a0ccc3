"""Who would be asked: where people are thought to be, and one reason for everyone left out."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    errors,
    plan_views,
    planning,
    responders,
    states,
    store,
    tables,
    whereabouts,
)
from geo import aeds
from tests import factories as f

NEAR = f.north_of(f.HARBOUR, 100)


async def _reasons(conn: AsyncConnection, incident: store.Incident, now: datetime) -> dict:
    plan = await f.make_plan(conn, incident.id, now=now)
    return {item.person.id: item.reason for item in plan.excluded}


async def test_ALR_22_everyone_left_out_has_the_reason(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    old = now - timedelta(hours=2)
    made = {
        "off_duty": await f.make_responder(conn, org, duty=states.Duty.OFF_DUTY, now=now),
        "resting": await f.make_responder(conn, org, duty=states.Duty.RESTING, now=now),
        "suspended": await f.make_responder(conn, org, duty=states.Duty.SUSPENDED, now=now),
        "no_certificate": await f.make_responder(conn, org, expires_on=None, now=now),
        "certificate_expired": await f.make_responder(
            conn, org, expires_on=date(2026, 11, 21), now=now
        ),
        "under_age": await f.make_responder(conn, org, born_on=date(2008, 11, 23), now=now),
        "no_position": await f.make_responder(conn, org, position=None, now=now),
        "position_stale": await f.make_responder(conn, org, seen_at=old, now=now),
        "too_far": await f.make_responder(
            conn, org, position=f.north_of(f.HARBOUR, 1_000), now=now
        ),
    }
    chosen = await f.make_responder(conn, org, expires_on=date(2026, 11, 22), now=now)
    just_18 = await f.make_responder(conn, org, born_on=date(2008, 11, 22), now=now)
    far_away = await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, 5_000), now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    assert {item.person.id for item in plan.chosen} == {chosen, just_18}
    found = {item.person.id: item.reason for item in plan.excluded}
    assert found == {person: reason for reason, person in made.items()}
    assert far_away not in found


async def test_ALR_23_live_then_last_then_a_place_at_its_hours(
    conn: AsyncConnection, now: datetime
) -> None:
    # Sunday, half past nine in the morning in Monaco.
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    work = responders.Spot("work", NEAR, hours="Mo-Fr 08:00-18:00")
    patrol = responders.Spot("patrol", NEAR, hours="Su 09:00-12:00")
    home = responders.Spot("home", NEAR)
    old = now - timedelta(hours=2)
    made = {
        "live": await f.make_responder(conn, org, places=[home], now=now),
        "last": await f.make_responder(
            conn, org, seen_at=now - timedelta(seconds=301), places=[home], now=now
        ),
        "home": await f.make_responder(conn, org, seen_at=old, places=[work, home], now=now),
        "patrol": await f.make_responder(conn, org, position=None, places=[home, patrol], now=now),
        None: await f.make_responder(conn, org, seen_at=old, places=[work], now=now),
    }
    plan = await f.make_plan(conn, incident.id, now=now)
    everyone = [*plan.chosen, *plan.excluded]
    assert {item.person.id: item.person.position_source for item in everyone} == {
        person: source for source, person in made.items()
    }


async def test_ALR_24_newer_live_positions_win_over_the_stored_ones(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=1, now=now)
    [person] = scene.responders
    near = store.Fix(f.north_of(f.HARBOUR, 10), now)
    plan = await planning.make(
        conn, scene.incident.id, policy=f.POLICY, network=f.NETWORK,
        live=whereabouts.Around({person: near}), now=now,
    )  # fmt: skip
    [item] = plan.chosen
    assert (item.person.position, item.person.position_at) == (near.position, now)


async def test_ALR_25_people_of_other_organisations_are_never_asked_those_below_are(
    conn: AsyncConnection, now: datetime
) -> None:
    await f.make_org(conn, code="org777001")
    county = await f.make_org(conn, code="org777002", parent="org777001")
    sister = await f.make_org(conn, code="org777003", parent="org777001")
    town = await f.make_org(conn, code="org777004", parent="org777002")
    ours = [await f.make_responder(conn, org, now=now) for org in (county, town)]
    theirs = await f.make_responder(conn, sister, now=now)
    incident = await f.make_incident(conn, county, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    assert [item.person.id for item in plan.chosen] == sorted(ours)
    assert plan.excluded == ()
    with pytest.raises(errors.NotFound):
        await f.make_plan(conn, incident.id, named=[theirs], now=now)


async def test_ALR_26_ranks_follow_the_walking_time_over_chosen_and_excluded(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    people = [
        await f.make_responder(
            conn, org, position=f.north_of(f.HARBOUR, metres),
            duty=states.Duty.OFF_DUTY if metres % 100 else states.Duty.AVAILABLE, now=now,
        )
        for metres in (500, 50, 300, 250, 100)
    ]  # fmt: skip
    incident = await f.make_incident(conn, org, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    ranks = {item.person.id: item.rank for item in (*plan.chosen, *plan.excluded)}
    assert [ranks[person] for person in people] == [5, 1, 4, 3, 2]
    shown = plan_views.plan_out(plan)
    assert [item["rank"] for item in shown["chosen"]] == [2, 4, 5]
    assert shown["network"] == "estimate"


async def test_ALR_3_an_aed_that_closes_before_the_fetcher_comes_is_left_out(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    for metres in (50, 600):
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, metres), now=now)
    # It is 09:30 in Monaco; the second person needs about five minutes to the AED.
    closing = await f.make_aed(
        conn, org, position=f.north_of(f.HARBOUR, 300), hours="Mo-Su 08:00-09:32", now=now
    )
    incident = await f.make_incident(conn, org, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    assert {item.role for item in plan.chosen} == {states.Role.DIRECT}
    [shown] = plan.aeds
    assert (shown.aed.id, shown.usable.state.value, shown.is_chosen) == (closing.id, "yes", False)
    opening = await f.make_aed(
        conn, org, position=f.north_of(f.HARBOUR, 300), hours="Mo-Su 09:33-18:00", now=now
    )
    plan = await f.make_plan(conn, incident.id, now=now)
    assert [item.aed_id for item in plan.chosen] == [None, opening.id]


@pytest.mark.parametrize(
    ("facts", "is_fetched"),
    [
        ({}, True),
        ({"check_every_days": 30, "verified_at": -29.9}, True),
        ({"check_every_days": 30, "verified_at": -30}, False),
        ({"suspect_since": 0}, False),
        ({"taken_at": 0}, False),
        ({"pads_expire_on": date(2026, 11, 21)}, False),
        ({"closed_from": -1}, False),
        ({"carrier": "taxi", "moved_at": 0}, True),
        ({"carrier": "taxi", "moved_at": -1}, False),
    ],
)
async def test_AED_5_nobody_is_sent_for_one_that_is_in_doubt(
    conn: AsyncConnection, now: datetime, facts: dict[str, object], is_fetched: bool
) -> None:
    """Days from now: a check overdue, a report, a use, expired pads, a closure, an old place."""
    org = await f.make_org(conn)
    for metres in (50, 200):
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, metres), now=now)
    aed = await f.make_aed(conn, org, position=f.north_of(f.HARBOUR, 150), now=now)
    said = {
        name: now + timedelta(days=value) if name.endswith(("_at", "_since", "_from")) else value  # type: ignore[arg-type]  # a table of test values
        for name, value in facts.items()
    }
    await aeds.change(conn, aed.id, said, version=1, actor_id=None, now=now)
    incident = await f.make_incident(conn, org, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    assert (aed.id in {item.aed_id for item in plan.chosen}) == is_fetched


async def test_ALR_27_duty_ends_and_begins_by_itself(conn: AsyncConnection, now: datetime) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    person = await f.make_responder(conn, org, now=now)
    until = now + timedelta(hours=1)
    await responders.set_duty(conn, person, states.Duty.AVAILABLE, until=until, now=now)
    assert await _reasons(conn, incident, now) == {}
    row = tables.last_position
    await conn.execute(sa.update(row).values(at=until))
    assert await _reasons(conn, incident, until) == {person: "off_duty"}
    await responders.set_duty(conn, person, states.Duty.OFF_DUTY, until=until, now=now)
    assert await _reasons(conn, incident, until) == {}
