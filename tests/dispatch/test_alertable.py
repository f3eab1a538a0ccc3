"""Who can be asked, and what the person is told: every combination of what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alertable,
    db,
    gathering,
    matching,
    reminders,
    responders,
    states,
    store,
    tables,
    whereabouts,
)
from geo.position import Position
from tests import factories as f

POLICY = replace(f.POLICY, budget_exempt=0)


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that speaks against asking, and how it comes about."""

    reason: str
    table: sa.Table
    values: dict[str, object]


def _flags(now: datetime) -> list[Flag]:
    """In the order in which they count: the first is the reason that a plan shows."""
    person, held, place = tables.responder, tables.certificate, tables.last_position
    old = now - timedelta(hours=2)
    return [
        Flag("off_duty", person, {"duty": "off_duty"}),
        Flag("resting", person, {"rest_until": now + timedelta(hours=3)}),
        Flag("busy", tables.alert, {"status": "notified"}),
        Flag("certificate_expired", held, {"expires_on": date(2026, 11, 21)}),
        Flag("under_age", person, {"born_on": date(2009, 1, 1)}),
        Flag("position_stale", place, {"at": old}),
        Flag("quiet_hours", person, {"quiet_from": time(9), "quiet_until": time(10)}),
        Flag("alert_budget_used", tables.alert, {"notified_at": now - timedelta(hours=5)}),
    ]


async def _alerts_of(
    conn: AsyncConnection, org_id: UUID, people: list[UUID], now: datetime
) -> None:
    """Give everybody two alerts of the day before yesterday, which ran out."""
    for _ in range(2):
        incident = await f.make_incident(conn, org_id, now=now)
        wave_id = uuid4()
        rows = [
            {
                "id": uuid4(), "incident_id": incident.id, "wave_id": wave_id,
                "responder_id": person, "role": "direct", "status": "timed_out",
                "notified_at": now - timedelta(days=2), "expires_at": now - timedelta(days=2),
            }
            for person in people
        ]  # fmt: skip
        wave = store.adding_wave(wave_id, incident.id, policy="x", by=None, now=now)
        await db.together(conn, wave, store.adding_alerts(rows))


async def _set(conn: AsyncConnection, flag: Flag, people: list[UUID], last: UUID) -> None:
    table = flag.table
    owner = table.c.id if table is tables.responder else table.c.responder_id
    conditions = [owner.in_(people)]
    if flag.reason == "busy":
        conditions.append(table.c.incident_id == last)
    await conn.execute(sa.update(table).where(*conditions).values(**flag.values))


async def test_CARE_7_every_combination_of_flags_gives_exactly_its_reasons(
    conn: AsyncConnection, now: datetime
) -> None:
    flags = _flags(now)
    combinations = list(product((False, True), repeat=len(flags)))
    org_id = await f.make_org(conn)
    people = [await f.make_responder(conn, org_id, now=now) for _ in combinations]
    await _alerts_of(conn, org_id, people, now)
    last = await conn.scalar(sa.select(sa.func.max(sa.cast(tables.alert.c.incident_id, sa.Text))))
    for number, flag in enumerate(flags):
        theirs = [p for p, c in zip(people, combinations, strict=True) if c[number]]
        await _set(conn, flag, theirs, UUID(last))
    incident = await f.make_incident(conn, org_id, now=now)
    found = await gathering.gather(
        conn, incident, POLICY, within_m=1_000, around=whereabouts.Around({}), named=None, now=now
    )
    blocked = {person.id: person.blocked for person in found.considered}
    for person, chosen in zip(people, combinations, strict=True):
        expected = [flag.reason for flag, on in zip(flags, chosen, strict=True) if on]
        if "off_duty" in expected and "resting" in expected:
            expected.remove("resting")  # nobody rests from what they do not do
        assert blocked[person] == (expected[0] if expected else None), expected
        standing = await _standing(conn, person, now)
        assert [reason.value for reason, _ in standing.against] == expected
    assert sum(reason is None for reason in blocked.values()) == 1


async def _standing(conn: AsyncConnection, person: UUID, now: datetime) -> alertable.Standing:
    responder = await store.get_responder(conn, person)
    return await alertable.judge(conn, responder, POLICY, live={}, now=now)


async def test_CARE_7_what_mends_it_works_at_once(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, people=1, kind=states.Kind.TRAUMA, now=now)
    person = scene.responders[0]
    await responders.set_duty(conn, person, states.Duty.OFF_DUTY, now=now)
    await responders.set_quiet(conn, person, (time(9), time(10)))
    said = alertable.out(await _standing(conn, person, now))
    assert [(r["code"], r["fix"]) for r in said["reasons"]] == [
        ("off_duty", "duty"), ("no_position", "position"), ("quiet_hours", "quiet"),
    ]  # fmt: skip
    assert said["reasons"][2]["args"] == {"until": "10:00", "except": []}
    await responders.set_duty(conn, person, states.Duty.AVAILABLE, now=now)
    fix = store.Fix(f.HARBOUR, now)
    await responders.report_position(conn, person, fix, is_stated=True, now=now)
    await responders.set_quiet(conn, person, None)
    assert alertable.out(await _standing(conn, person, now))["ok"]
    plan = await f.make_plan(conn, scene.incident.id, now=now)
    assert [item.person.id for item in plan.chosen] == [person]


async def test_CARE_7_a_used_budget_says_until_when(conn: AsyncConnection, now: datetime) -> None:
    org_id = await f.make_org(conn)
    person = await f.make_responder(conn, org_id, now=now)
    await _alerts_of(conn, org_id, [person], now)
    at = now - timedelta(hours=5)
    await conn.execute(sa.update(tables.alert).values(notified_at=at))
    reason, args = (await _standing(conn, person, now)).against[0]
    assert reason is matching.Reason.ALERT_BUDGET_USED
    assert args == {"asked": 2, "budget": 2, "until": (at + timedelta(hours=24)).isoformat()}


@pytest.mark.parametrize(
    ("kinds", "kind", "reason"),
    [
        ([], "cardiac_arrest", "quiet_hours"),
        (["cardiac_arrest"], "cardiac_arrest", None),
        (["cardiac_arrest"], "trauma", "quiet_hours"),
    ],
)
async def test_CARE_8_quiet_hours_hold_but_for_the_kinds_that_may_wake(
    conn: AsyncConnection, now: datetime, kinds: list[str], kind: str, reason: str | None
) -> None:
    scene = await f.make_scene(conn, people=1, kind=states.Kind(kind), now=now)
    except_ = [states.Kind(one) for one in kinds]
    await responders.set_quiet(conn, scene.responders[0], (time(22), time(9, 31)), kinds=except_)
    plan = await f.make_plan(conn, scene.incident.id, now=now)
    assert [item.reason for item in plan.excluded] == ([] if reason is None else [reason])
    # In Monaco it is half past nine: a minute later the night is over.
    plan = await f.make_plan(conn, scene.incident.id, now=now + timedelta(minutes=1))
    assert len(plan.chosen) == 1


# ---- certificates


def _in_monaco(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """Give an instant of a winter day in Monaco, an hour before UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


async def test_CARE_11_holders_are_told_at_ninety_thirty_and_seven_days_and_at_the_end(
    conn: AsyncConnection, now: datetime
) -> None:
    org_id = await f.make_org(conn)
    ends = date(2027, 2, 28)
    person = await f.make_responder(conn, org_id, expires_on=ends, now=now)
    told = []
    at = _in_monaco(ends - timedelta(days=100))
    while at < _in_monaco(ends + timedelta(days=30)):
        for reminder in await reminders.remind(conn, now=at):
            assert reminder.responder_id == person
            told.append(((at + timedelta(hours=1)).date(), reminder.stage))
        at += timedelta(hours=6)
    assert told == [
        (ends - timedelta(days=90), 90), (ends - timedelta(days=30), 30),
        (ends - timedelta(days=7), 7), (ends + timedelta(days=1), -1),
    ]  # fmt: skip
    task = (await conn.execute(sa.select(tables.task))).mappings().one()
    assert (task["kind"], task["subject_id"]) == ("certificate", person)


async def test_CARE_11_who_has_a_newer_certificate_is_not_told(
    conn: AsyncConnection, now: datetime
) -> None:
    org_id = await f.make_org(conn)
    person = await f.make_responder(conn, org_id, expires_on=date(2026, 12, 1), now=now)
    newer = responders.certificates.Proof("first_aid", date(2029, 1, 1))
    await responders.certificates.add(conn, person, [newer])
    assert await reminders.remind(conn, now=now) == []


async def test_CARE_12_a_certificate_ends_at_local_midnight(
    conn: AsyncConnection, now: datetime
) -> None:
    last_day = date(2026, 11, 30)
    place = [responders.Spot("home", Position(f.HARBOUR.lon, f.HARBOUR.lat))]
    scene = await f.make_scene(conn, people=0, kind=states.Kind.TRAUMA, now=now)
    await f.make_responder(
        conn, scene.org_id, position=None, places=place, expires_on=last_day, now=now
    )
    midnight = _in_monaco(last_day + timedelta(days=1))
    before = await f.make_plan(conn, scene.incident.id, now=midnight - timedelta(seconds=1))
    after = await f.make_plan(conn, scene.incident.id, now=midnight)
    assert len(before.chosen) == 1
    assert [item.reason for item in after.excluded] == ["certificate_expired"]
