"""Which policy holds for an incident, and what a plan by ours is made from."""

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
    errors,
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
EVERYWHERE = policies.Bounds()
ROUND_THE_HARBOUR = {
    "type": "Polygon",
    "coordinates": [[[7.0, 43.0], [8.0, 43.0], [8.0, 44.0], [7.0, 44.0], [7.0, 43.0]]],
}


async def _published(
    conn: AsyncConnection,
    org_id: UUID,
    name: str,
    *,
    bounds: policies.Bounds = EVERYWHERE,
    starts: datetime | None = None,
    until: datetime | None = None,
    now: datetime,
    **fields: Any,
) -> policies.Version:
    version = await policies.draft(conn, org_id, name, fields, bounds=bounds, by=None, now=now)
    await conn.execute(
        sa.insert(tables.simulation_report).values(
            id=store.new_id(), digests=[version.digest], seed=7, incidents=1, body={}, made_at=now
        )
    )
    return await policies.publish(
        conn, version.id, effective_from=starts, effective_until=until, by=None, now=now
    )


async def _name(conn: AsyncConnection, incident: store.Incident, now: datetime) -> str:
    return (await policies.effective(conn, incident, base=OURS, now=now)).name


async def test_POL_5_the_most_specific_policy_of_the_nearest_organisation_holds(
    conn: AsyncConnection, now: datetime
) -> None:
    province = await f.make_org(conn, code="org880001")
    county = await f.make_org(conn, code="org880002", parent="org880001")
    incident = await f.make_incident(conn, county, now=now)
    assert await _name(conn, incident, now) == OURS.name
    await _published(conn, province, "of-the-province", now=now)
    assert await _name(conn, incident, now) == "of-the-province"
    old = await _published(conn, county, "of-the-county", now=now)
    assert await _name(conn, incident, now) == "of-the-county"
    kind = policies.Bounds(kinds=[states.Kind.CARDIAC_ARREST])
    await _published(conn, county, "for-arrests", bounds=kind, now=now)
    area = policies.Bounds(area=ROUND_THE_HARBOUR)
    await _published(conn, county, "at-the-harbour", bounds=area, now=now)
    elsewhere = policies.Bounds(kinds=[states.Kind.FIRE], severities=[4])
    await _published(conn, county, "for-small-fires", bounds=elsewhere, now=now)
    assert await _name(conn, incident, now) == "at-the-harbour"
    fire = await f.make_incident(conn, county, kind=states.Kind.FIRE, now=now)
    assert await _name(conn, fire, now) == "at-the-harbour"
    await policies.retire(conn, old.id, by=None, now=now)
    assert (await policies.get(conn, old.id)).status is policies.Status.RETIRED


async def test_POL_5_a_policy_holds_from_its_first_to_its_last_moment(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    hour = timedelta(hours=1)
    await _published(conn, org, "later", starts=now + hour, until=now + 2 * hour, now=now)
    names = [await _name(conn, incident, now + n * hour) for n in (0, 1, 2)]
    assert names == [OURS.name, "later", OURS.name]


async def test_POL_5_a_policy_that_this_release_cannot_read_leaves_nobody_unasked(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    version = await _published(conn, org, "of-tomorrow", now=now)
    row = tables.policy_version
    await conn.execute(
        sa.update(row)
        .where(row.c.id == version.id)
        .values(document={**version.document, "of_tomorrow": 1})
    )
    assert await policies.effective(conn, incident, base=OURS, now=now) == OURS


async def test_POL_3_a_report_of_another_organisation_proves_nothing(
    conn: AsyncConnection, now: datetime
) -> None:
    org, other = await f.make_org(conn), await f.make_org(conn)
    version = await policies.draft(conn, org, "ours", {}, by=None, now=now)
    report = {
        "id": store.new_id(), "org_id": other, "digests": [version.digest], "seed": 7,
        "incidents": 1, "body": {}, "made_at": now,
    }  # fmt: skip
    await conn.execute(sa.insert(tables.simulation_report).values(**report))
    with pytest.raises(errors.SimulationMissing):
        await policies.publish(conn, version.id, by=None, now=now)
    row = tables.simulation_report
    await conn.execute(sa.update(row).where(row.c.id == report["id"]).values(org_id=org))
    assert (await policies.publish(conn, version.id, by=None, now=now)).report_id == report["id"]


async def test_POL_9_an_old_decision_replays_after_the_policy_changed_and_the_incident_keeps_it(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=6, now=now)
    sent = await f.send(conn, scene, policy=OURS, now=now)
    [record] = await store.list_allocations(conn, scene.incident.id)
    await _published(conn, scene.org_id, "other", chooser="nearest", wave_size=1, now=now)
    assert await _name(conn, scene.incident, now) == OURS.name
    fresh = await f.make_incident(conn, scene.org_id, now=now)
    assert await _name(conn, fresh, now) == "other"
    again = allocations.replay(record["inputs"])
    assert {(str(c.id), c.role.value, c.marginal) for c in again.chosen} == {
        (item["responder"], item["role"], item["marginal"]) for item in record["chosen"]
    }
    assert {choice.id for choice in again.chosen} == {a.responder_id for a in sent.alerts}
    assert {str(person): reason.value for person, reason in again.excluded.items()} == {
        item["responder"]: item["reason"] for item in record["excluded"]
    }
    assert record["inputs"]["values"]["policy"] == OURS.document()
    assert record["inputs"]["policy_digest"] == OURS.digest()
    assert {item["sentence"]["en"][:4] for item in record["chosen"]} <= {"Goes", "Fetc"}


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
