"""A year of simulated life on a real database, judged from the rows and from what people did.

The short form is always run. With GOLDEN_TEST_LONG=1 it is a whole year: 200 people, 365 incidents.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, firing, matching, states, surveys, tables, timers
from geo import position
from tests import factories as f
from tests.year import LANES, ZONE, Life, Volunteer

IS_LONG = bool(os.environ.get("GOLDEN_TEST_LONG"))
PEOPLE, INCIDENTS, DAYS, SPREAD_M = (200, 365, 365, 1_500) if IS_LONG else (20, 30, 10, 500)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = matching.Policy()
#: Reasons that are judged before the budget: who has one is not among the nearest either.
BEFORE_BUDGET = {
    "off_duty", "suspended", "resting", "busy", "already_alerted", "no_certificate",
    "certificate_expired", "under_age", "no_position", "position_stale", "position_vague",
    "quiet_hours",
}  # fmt: skip
Rows = list[sa.RowMapping]


@dataclass(frozen=True)
class Year:
    """What happened: the rows of the database, and what people did themselves."""

    life: Life
    began: datetime
    alerts: Rows
    missions: Rows
    surveys: Rows
    tasks: Rows
    allocations: Rows
    certificates: dict[UUID, list[tuple[datetime, date]]]
    timers_left: int
    texts_kept: int
    broken: Rows = field(default_factory=list)


_ALERTS = sa.text("""
select alert.*, incident.exercise, incident.kind, incident.stood_down_at as all_stood_down_at,
       incident.closed_at, assignment.status as mission, assignment.ended_at as mission_ended_at
from alert
join incident on incident.id = alert.incident_id
left join assignment on assignment.alert_id = alert.id
order by notified_at
""")
_MISSIONS = sa.text("""
select assignment.*, incident.exercise, incident.id as of_incident
from assignment join incident on incident.id = assignment.incident_id
""")


# Of A9: nobody is asked in an interval in which they may not be, nor after a stand-down or an end,
# nor while another alert or a mission of theirs goes on.
_INVARIANT = sa.text("""
select alert.id, forbidden.why from alert
join unnest(cast(:people as uuid[]), cast(:whys as text[]), cast(:since as timestamptz[]),
            cast(:until as timestamptz[])) as forbidden(person, why, since, until)
  on forbidden.person = alert.responder_id
 and alert.notified_at >= forbidden.since and alert.notified_at < forbidden.until
union all
select alert.id, 'over' from alert join incident on incident.id = alert.incident_id
where alert.notified_at > incident.stood_down_at or alert.notified_at > incident.closed_at
union all
select later.id, 'twice' from alert as later
join alert as first on first.responder_id = later.responder_id and first.id <> later.id
left join assignment on assignment.alert_id = first.id
where first.notified_at <= later.notified_at
  and later.notified_at < coalesce(assignment.ended_at, first.answered_at, first.stood_down_at)
""")


@pytest.fixture
async def year(database: str, now: datetime) -> AsyncIterator[Year]:
    """Let a year pass."""
    engine = db.make_engine(database)
    base = db.Database(engine, None)
    means = firing.Means(base, POLICY, lambda: f.NETWORK, lambda: now)
    life = Life(means, now, now + DAYS * DAY, random.Random(7), spread_m=SPREAD_M)
    async with base.transaction() as conn:
        await life.settle(conn, people=PEOPLE, devices=PEOPLE // 5)
    life.call(most=INCIDENTS, within_s=(DAYS - 2) * 86_400.0)
    await life.run()
    async with base.snapshot() as conn:
        read = await _read(conn, life, now)
        read.broken.extend((await conn.execute(_INVARIANT, _binds(read))).mappings())
        yield read
    await engine.dispose()


async def _read(conn: AsyncConnection, life: Life, now: datetime) -> Year:
    async def rows(query: Any) -> Rows:
        return list((await conn.execute(query)).mappings())

    left = await conn.scalar(sa.select(sa.func.count()).select_from(tables.timer))
    kept = tables.survey.c
    texts = sa.select(sa.func.count()).where(
        kept.text.is_not(None), kept.answered_at < life.until - 31 * DAY
    )
    return Year(
        life, now, await rows(_ALERTS), await rows(_MISSIONS),
        await rows(sa.select(tables.survey)), await rows(sa.select(tables.task)),
        await rows(sa.select(tables.allocation)),
        {person.id: person.held for person in life.people.values()},
        left or 0, await conn.scalar(texts) or 0,
    )  # fmt: skip


async def test_CARE_15_a_year_of_life_keeps_every_promise(year: Year) -> None:
    assert len(year.alerts) > INCIDENTS
    assert len(year.missions) > INCIDENTS / 2
    assert year.broken == []
    _nobody_is_woken_at_night(year)
    _nobody_is_above_the_budget(year)
    _every_alert_ends_once(year)
    _surveys_come_on_time(year)
    _answers_make_tasks(year)
    _reminders_come_on_their_days(year)
    _certificates_end_at_local_midnight(year)
    assert (year.timers_left, year.texts_kept) == (0, 0)


# ---- who may be asked (A9), by intervals in which each person may not

Interval = tuple[datetime, datetime]


def _forbidden(year: Year) -> dict[UUID, list[tuple[str, Interval]]]:
    found: dict[UUID, list[tuple[str, Interval]]] = defaultdict(list)
    end = year.life.now + DAY
    for person in year.life.people.values():
        mine = found[person.id]
        mine += [("duty", interval) for interval in _off(person, end)]
        mine += [("certificate", interval) for interval in _expired(person, end)]
        mine += [("rest", interval) for interval in _rests(year, person)]
        if person.born_on.year > 2010:
            mine.append(("age", (year.began, end)))
    return found


def _off(person: Volunteer, end: datetime) -> Iterator[Interval]:
    nexts = [at for at, _, _ in person.duties[1:]] + [end]
    for (at, duty, until), following in zip(person.duties, nexts, strict=True):
        stop = following if until is None else min(until, following)
        if duty is states.Duty.AVAILABLE:
            yield stop, following
        else:
            yield at, stop


def _local_midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def _expired(person: Volunteer, end: datetime) -> Iterator[Interval]:
    renewed = [at for at, _ in person.held[1:]] + [end]
    for (_, ends), following in zip(person.held, renewed, strict=True):
        yield _local_midnight(ends + DAY), following


def _rests(year: Year, person: Volunteer) -> Iterator[Interval]:
    """A day after a mission on which they arrived, two after a severe answer, or to a release."""
    released = [at for at, duty, _ in person.duties[1:] if duty is states.Duty.AVAILABLE]
    begun = [
        (row["ended_at"], DAY)
        for row in year.missions
        if row["responder_id"] == person.id and row["on_scene_at"] and not row["exercise"]
    ] + [
        (row["answered_at"], 2 * DAY)
        for row in year.surveys
        if row["responder_id"] == person.id and row["impact"] == "severe" and not row["exercise"]
    ]
    for at, length in begun:
        yield at, min([at + length, *(release for release in released if release > at)])


def _binds(year: Year) -> dict[str, list[Any]]:
    all_of_them = [
        (person, why, since, until)
        for person, mine in _forbidden(year).items()
        for why, (since, until) in mine
        if since < until
    ]
    names = ("people", "whys", "since", "until")
    columns = zip(*all_of_them, strict=True)
    return dict(zip(names, map(list, columns), strict=True))


def _nobody_is_woken_at_night(year: Year) -> None:
    for row in year.alerts:
        person = year.life.people[row["responder_id"]]
        local = row["notified_at"].astimezone(ZONE).time()
        is_night = local >= time(22) or local < time(7)
        is_woken = person.is_quiet and is_night and row["kind"] != "cardiac_arrest"
        assert not is_woken, row["id"]


def _nobody_is_above_the_budget(year: Year) -> None:
    by_wave = {row["wave_id"]: row for row in year.allocations}
    asked: dict[tuple[UUID, bool], list[datetime]] = defaultdict(list)
    for row in year.alerts:
        mine = asked[(row["responder_id"], row["exercise"])]
        at = row["notified_at"]
        if sum(before > at - DAY for before in mine) >= POLICY.alert_budget_day:
            assert row["responder_id"] in _nearest_three(year, by_wave[row["wave_id"]], at)
        mine.append(at)


def _nearest_three(year: Year, record: sa.RowMapping, at: datetime) -> set[UUID]:
    free = [UUID(item["responder"]) for item in record["chosen"]] + [
        UUID(item["responder"])
        for item in record["excluded"]
        if item["reason"] not in BEFORE_BUDGET
    ]
    patient, people = year.life.places[record["incident_id"]], year.life.people
    away = sorted((position.distance_m(people[one].at(at), patient), one) for one in free)
    return {one for _, one in away[: POLICY.budget_exempt]}


def _every_alert_ends_once(year: Year) -> None:
    over = {"accepted", "declined", "timed_out", "stood_down"}
    assert {row["status"] for row in year.alerts} <= over
    ended = {"cleared", "stood_down", "unable"}
    for row in year.alerts:
        assert (row["status"] == "accepted") == (row["mission"] is not None), row["id"]
        assert row["mission"] is None or row["mission"] in ended, row["id"]
        is_answered = row["status"] in {"accepted", "declined"}
        assert (row["answered_at"] is not None) == is_answered, row["id"]


# ---- care


def _surveys_come_on_time(year: Year) -> None:
    steps = ("en_route_at", "aed_collected_at", "on_scene_at", "with_patient_at")
    expected = set()
    for row in year.missions:
        if any(row[step] is not None for step in steps):
            who = (row["responder_id"], row["incident_id"])
            first = row["ended_at"] + timedelta(minutes=90)
            expected.add((*who, 1, first))
            if not row["exercise"]:
                expected.add((*who, 2, first + surveys.AGAIN_AFTER))
    asked = {(r["responder_id"], r["incident_id"], r["round"], r["asked_at"]) for r in year.surveys}
    assert asked == expected


def _answers_make_tasks(year: Year) -> None:
    within = {"severe": timedelta(hours=2), "moderate": timedelta(hours=24)}
    expected = {
        (row["id"], row["answered_at"] + within[row["impact"]])
        for row in year.surveys
        if row["impact"] in within and not row["exercise"]
    }
    made = {row["subject_id"]: row for row in year.tasks if row["kind"] == "aftercare"}
    assert {(subject, row["due_at"]) for subject, row in made.items()} == expected
    for row in made.values():
        is_late = row["done_at"] is None or row["done_at"] > row["due_at"]
        assert row["overdue_at"] == (row["due_at"] if is_late else None)


def _reminders_come_on_their_days(year: Year) -> None:
    """At the first look after local midnight of each day, unless a newer certificate came first."""
    expected = set()
    for person in year.life.people.values():
        renewed = [at for at, _ in person.held[1:]] + [year.life.until]
        for (held_since, ends), until in zip(person.held, renewed, strict=True):
            for stage in (90, 30, 7, -1):
                due = _local_midnight(ends - stage * DAY)
                last_look = min(until, year.life.until) - HOUR
                if max(year.began, held_since) < due < last_look:
                    expected.add((person.id, ends, stage))
    told = {}
    for who, ends, left, at in year.life.reminded:
        stage = min((s for s in (90, 30, 7, -1) if left <= s), default=None)
        assert stage is not None
        if _local_midnight(ends - stage * DAY) > year.began:
            assert at - _local_midnight(ends - stage * DAY) <= HOUR
            told[(who, ends, stage)] = at
    assert set(told) == expected
    assert len(told) > 0


def _certificates_end_at_local_midnight(year: Year) -> None:
    """Every decision of the year took each certificate as valid to the end of its local day."""
    seen = 0
    for record in year.allocations:
        today = record["made_at"].astimezone(ZONE).date()
        everyone = [(item, False) for item in record["chosen"]]
        everyone += [(item, item["reason"] == "certificate_expired") for item in record["excluded"]]
        for item, is_expired in everyone:
            held = year.certificates[UUID(item["responder"])]
            last = max(ends for since, ends in held if since <= record["made_at"])
            if is_expired:
                seen += 1
                assert last < today
            elif item.get("reason") is None:
                assert last >= today
    assert seen > 0


def test_timers_of_care_belong_to_the_planning_lane() -> None:
    assert set(LANES) == set(timers.Lane)
