"""What a plan by our policy is made from: budgets, quiet hours, trust, times, ways up."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    aed_trust,
    alerts,
    allocations,
    histories,
    matching,
    policies,
    scenes,
    states,
    store,
    tables,
)
from geo import aed_reports, usability
from tests import factories as f

OURS = policies.DEFAULT


async def _ask(
    conn: AsyncConnection, person: UUID, org: UUID, *, at: datetime, exercise: bool = False
) -> store.Incident:
    incident = await f.make_incident(conn, org, exercise=exercise, now=at)
    plan = await f.make_plan(conn, incident.id, named=[person], now=at)
    await alerts.send_wave(conn, plan, by=None, now=at)
    await conn.execute(
        sa.update(tables.alert)
        .where(tables.alert.c.incident_id == incident.id)
        .values(status="timed_out")
    )
    return incident


async def test_POL_24_a_policy_counts_on_people_to_hurry(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, kind=states.Kind.TRAUMA, now=now)
    far = f.north_of(f.HARBOUR, 1_300)  # more than 900 s at a walk
    runner = await f.make_responder(conn, scene.org_id, position=far, now=now)
    quick = dataclasses.replace(f.POLICY, pace_mps=2 * 1.4167)
    walks = await f.make_plan(conn, scene.incident.id, now=now)
    runs = await f.make_plan(conn, scene.incident.id, policy=quick, now=now)
    assert runner not in {item.person.id for item in walks.chosen}
    seconds = {item.person.id: item.travel_s for item in runs.chosen}
    assert runner in seconds
    for item in walks.chosen:
        assert seconds[item.person.id] == pytest.approx((item.travel_s or 0) / 2, abs=0.1)
    assert "pace_mps" not in OURS.document()
    assert matching.Policy.from_document(quick.document()) == quick
    assert quick.digest() != f.POLICY.digest()


async def test_POL_13_whoever_was_asked_twice_within_a_day_is_left_in_peace_but_the_nearest(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    people = [
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, 40 * (n + 1)), now=now)
        for n in range(5)
    ]
    for person in (people[0], people[4]):
        for hours in (1, 23):
            await _ask(conn, person, org, at=now - timedelta(hours=hours))
    await _ask(conn, people[3], org, at=now - timedelta(hours=23))
    await _ask(conn, people[3], org, at=now - timedelta(hours=25))
    incident = await f.make_incident(conn, org, kind=states.Kind.TRAUMA, now=now)
    plan = await f.make_plan(conn, incident.id, policy=OURS, now=now)
    assert {item.person.id for item in plan.chosen} == set(people[:4])
    [left] = plan.excluded
    assert (left.reason, left.args) == (
        matching.Reason.ALERT_BUDGET_USED, {"asked": 2, "budget": 2},
    )  # fmt: skip
    # An operator who names somebody is not kept from it; an exercise counts by itself.
    named = await f.make_plan(conn, incident.id, named=[people[4]], now=now)
    assert [item.person.id for item in named.chosen] == [people[4]]
    drill = await f.make_incident(conn, org, kind=states.Kind.TRAUMA, exercise=True, now=now)
    plan = await f.make_plan(conn, drill.id, policy=OURS, now=now)
    assert plan.excluded == ()


@pytest.mark.parametrize(
    ("hours", "kinds", "is_asked"),
    [
        ((time(9), time(10)), (), False),
        ((time(22), time(10)), (), False),
        ((time(10), time(9)), (), True),
        ((time(9), time(10)), (states.Kind.CARDIAC_ARREST,), True),
    ],
)
async def test_POL_14_quiet_hours_hold_in_local_time_unless_the_kind_breaks_through(
    conn: AsyncConnection,
    now: datetime,
    hours: tuple[time, time],
    kinds: Sequence[states.Kind],
    *,
    is_asked: bool,
) -> None:
    # It is half past nine in Monaco.
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, 50), now=now)
    row = tables.responder
    quiet = sa.update(row).where(row.c.id == person)
    await conn.execute(quiet.values(quiet_from=hours[0], quiet_until=hours[1]))
    incident = await f.make_incident(conn, org, now=now)
    policy = dataclasses.replace(OURS, breakthrough=tuple(kinds))
    plan = await f.make_plan(conn, incident.id, policy=policy, now=now)
    assert bool(plan.chosen) is is_asked
    assert [item.reason for item in plan.excluded] == (
        [] if is_asked else [matching.Reason.QUIET_HOURS]
    )


async def test_POL_14_a_vague_position_says_too_little(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, now=now)
    incident = await f.make_incident(conn, org, now=now)
    for accuracy, reasons in ((500, []), (501, [matching.Reason.POSITION_VAGUE])):
        await conn.execute(
            sa.update(tables.last_position)
            .where(tables.last_position.c.responder_id == person)
            .values(accuracy_m=accuracy)
        )
        plan = await f.make_plan(conn, incident.id, policy=OURS, now=now)
        assert [item.reason for item in plan.excluded] == reasons


async def test_POL_15_a_yes_is_as_likely_as_the_person_and_all_have_answered(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, now=now)
    for days in (3, 5):
        await _ask(conn, person, org, at=now - timedelta(days=days))
    known = await histories.read(conn, [person], exercise=False, now=now)
    assert known == {person: histories.History(settled=2, accepted=0, last_day=0)}
    assert histories.accept(OURS, known[person]) == pytest.approx(0.287 * 6 / 8)
    assert histories.accept(OURS, None) == pytest.approx(0.287)
    asked = [histories.accept_after_silence(OURS, 0.5, s) for s in (0, 40, 120, 600)]
    assert asked[0] == pytest.approx(0.5)
    assert asked == sorted(asked, reverse=True)
    # Half have answered after the median: 0.5 x 0.5 / (0.75 x 0.5 + 0.25).
    assert asked[1] == pytest.approx(0.4)
    assert asked[3] < 0.001


async def test_POL_15_an_aed_is_trusted_by_its_last_look_its_hours_and_its_fetches(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    aed = await f.make_aed(conn, org, now=now)
    is_open = usability.Usability(usability.Usable.YES, usability.Reason.ALWAYS_OPEN)
    unknown = usability.Usability(usability.Usable.UNKNOWN, usability.Reason.HOURS_MISSING)
    looked = {
        days: aed_trust.works(
            dataclasses.replace(aed, verified_at=now - timedelta(days=days)), is_open, None, now=now
        )
        for days in (90, 91, 366)
    }
    assert looked == {90: 0.95, 91: 0.85, 366: 0.7}
    assert aed_trust.works(aed, unknown, None, now=now) == 0.6
    night = now + timedelta(hours=14)
    assert aed_trust.works(aed, unknown, None, now=night) == 0.3
    person = await f.make_responder(conn, org, now=now)
    for _ in range(4):
        await aed_reports.add_report(
            conn, aed.id, aed_reports.ReportKind.MISSING, actor_id=person, now=now
        )
    found = await aed_trust.fetches(conn, [aed.id], now=now)
    assert found == {aed.id: aed_trust.Fetches(0, 4)}
    assert aed_trust.works(aed, is_open, found[aed.id], now=now) == pytest.approx(0.35)


async def test_POL_15_an_aed_without_hours_is_weighed_and_said(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    for metres in (50, 200, 250):
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, metres), now=now)
    aed = await f.make_aed(conn, org, position=f.north_of(f.HARBOUR, 150), hours=None, now=now)
    incident = await f.make_incident(conn, org, now=now)
    ours = await f.make_plan(conn, incident.id, policy=OURS, now=now)
    assert aed.id in {item.aed_id for item in ours.chosen}
    assert scenes.Mode.HOURS_UNKNOWN in ours.modes
    by_rule = await f.make_plan(conn, incident.id, now=now)
    assert {item.aed_id for item in by_rule.chosen} == {None}


async def test_POL_16_the_clock_is_the_ambulances_where_it_is_known(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)

    def clock(after_s: float, **facts: Any) -> tuple[float, bool]:
        at = now + timedelta(seconds=after_s)
        scene, modes = scenes.clock(OURS, dataclasses.replace(incident, **facts), now=at)
        assert scene.ambulance_shock_s == scene.ambulance_s + 90
        assert scene.collapsed_s == 180 + after_s
        return scene.ambulance_s, scenes.Mode.NO_AMBULANCE_ETA in modes

    inside = 42  # of a house whose floor nobody named; the crew has the same way
    eta = {"ambulance_eta_at": now + timedelta(minutes=8)}
    assert clock(0, **eta) == (480 + inside, False)
    assert clock(60, **eta) == (420 + inside, False)
    assert clock(0, **eta, floor="12层") == (480 + 213, False)
    # Late by a little it may come any moment; then it is unknown.
    assert clock(540, **eta) == (60 + inside, False)
    assert clock(601, **eta) == (360 + inside, True)
    assert clock(0) == (720 + inside, True)
    assert clock(120) == (600 + inside, True)
    assert clock(3_600) == (360 + inside, True)
    assert clock(0, ambulance=states.Ambulance.ON_SCENE) == (0, False)


@pytest.mark.parametrize(
    ("floor", "expected_s"),
    [
        (None, 42),
        ("大厅", 42),
        ("2", 168),
        ("12层", 213),
        ("16F", 233),
        ("1203", 213),
        ("302室", 168),
        ("13800138000", 42),
    ],
)
def test_POL_16_the_way_up_counts(floor: str | None, expected_s: float) -> None:
    assert scenes.vertical_s(OURS, floor) == expected_s


async def test_POL_16_no_time_is_a_negative_zero_which_the_record_would_not_keep(
    conn: AsyncConnection, now: datetime
) -> None:
    incident = await f.make_incident(conn, await f.make_org(conn), now=now)
    policy = dataclasses.replace(OURS, bystander_s=OURS.collapse_s)
    scene, _ = scenes.clock(policy, incident, now=now + timedelta(milliseconds=40))
    assert str(scene.bystander_s) == "0.0"


async def test_POL_7_aeds_that_are_shut_take_no_place_from_one_that_can_be_had(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    for metres in (50, 200, 250):
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, metres), now=now)
    for metres in range(100, 112):
        await f.make_aed(
            conn, org, position=f.north_of(f.HARBOUR, metres), hours="20:00-22:00", now=now
        )
    is_open = await f.make_aed(conn, org, position=f.north_of(f.HARBOUR, 150), now=now)
    incident = await f.make_incident(conn, org, now=now)
    for policy in (OURS, policies.SHIPPED["two-thirds-aed"]):
        wide = dataclasses.replace(policy, detour_most=None)
        plan = await f.make_plan(conn, incident.id, policy=wide, now=now)
        assert {item.aed_id for item in plan.chosen} - {None} == {is_open.id}


async def test_POL_13_who_wants_peace_takes_no_place_of_the_nearest(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    people = [
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, 40 * (n + 1)), now=now)
        for n in range(2)
    ]
    row = tables.responder
    await conn.execute(
        sa.update(row).where(row.c.id == people[0]).values(quiet_from=time(9), quiet_until=time(10))
    )
    for hours in (1, 2):
        await _ask(conn, people[1], org, at=now - timedelta(hours=hours))
    incident = await f.make_incident(conn, org, now=now)
    policy = dataclasses.replace(OURS, budget_exempt=1)
    plan = await f.make_plan(conn, incident.id, policy=policy, now=now)
    assert [item.person.id for item in plan.chosen] == [people[1]]


async def test_POL_17_when_the_search_breaks_down_the_nearest_are_asked(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=4, now=now)
    broken = dataclasses.replace(OURS, theta=2.0)
    plan = await f.make_plan(conn, scene.incident.id, policy=broken, now=now)
    assert {item.person.id for item in plan.chosen} == set(scene.responders)
    assert scenes.Mode.FALLBACK in plan.modes
    assert plan.decision.call is allocations.Call.LAST_RESORT


async def test_POL_20_people_who_were_asked_count_in_the_next_plan(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=4, now=now)
    policy = dataclasses.replace(OURS, wave_size=2)
    sent = await f.send(conn, scene, policy=policy, now=now)
    later = now + timedelta(seconds=20)
    plan = await f.make_plan(conn, scene.incident.id, policy=policy, now=later)
    under = plan.decision.under
    assert (under.live, under.pending, under.room) == (2, 2, 28)
    assert len(under.going) == 2
    assert all(0 < going.accept < 0.287 for going in under.going)
    taken = {alert.aed.id for alert in sent.alerts if alert.aed is not None}
    assert under.aeds_taken == taken
    assert not taken & {item.aed_id for item in plan.chosen}
    [first] = [alert for alert in sent.alerts if alert.role is states.Role.DIRECT][:1]
    await alerts.accept(conn, first.id, policy=policy, by=first.responder_id, now=later)
    plan = await f.make_plan(conn, scene.incident.id, policy=policy, now=later)
    assert plan.decision.under.is_direct_going
    assert [going.accept for going in plan.decision.under.going].count(1.0) == 1
