"""Who could be asked at all, where each is thought to be, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeGuard
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, histories, matching, restraint, states, store
from geo import position, usability

#: Stored positions lag behind the live ones by up to this (responders.report_position).
POSITION_LAG_M = 100.0
#: Redis keeps milliseconds.
_SAME = timedelta(milliseconds=1)
#: People on duty of whom no position is known at all are listed, but not without end.
NOWHERE_MOST = 50


class Scene(Protocol):
    """Where help is wanted and for whose people; an incident is one."""

    @property
    def id(self) -> UUID:
        """Name it; whoever was asked for it already is not asked again."""

    @property
    def org_path(self) -> str:
        """Name the organisation at and below which people are looked for."""

    @property
    def position(self) -> position.Position:
        """Say where."""


class Emergency(Scene, Protocol):
    """A scene for which people are asked, so that it counts what kind it is."""

    @property
    def kind(self) -> states.Kind:
        """Say what kind of emergency it is."""

    @property
    def exercise(self) -> bool:
        """Say whether it is an exercise; its alerts have a budget of their own."""


@dataclass(frozen=True, slots=True)
class Person:
    """A responder as a plan sees it; `blocked` says why it cannot be asked."""

    id: UUID
    name: str
    name_en: str | None
    is_invented: bool
    skills: tuple[str, ...]
    duty: states.Duty
    position: position.Position | None
    # live, last, home, work or patrol; None without a position.
    position_source: str | None
    position_at: datetime | None
    blocked: matching.Reason | None
    blocked_args: Mapping[str, object] = field(default_factory=dict)
    # Of a live or last position.
    accuracy_m: float | None = None
    # The organisation of the incident that the person is on a mission for.
    mission_path: str | None = None
    # Whether the person asked to be left in peace at this hour, but for some kinds; `blocked` says
    # if that holds.
    is_quiet: bool = False
    quiet_except: tuple[states.Kind, ...] = ()
    # Everything that speaks against asking, in the order in which it counts; quiet hours and the
    # alert budget, which depend on the incident, are not in it.
    against: tuple[restraint.Against, ...] = ()
    # How likely a yes is.
    accept: float = 0.287


# ix_last_position_position and ix_place_position find who is near.
_NEAR = sa.text("""
with patient as (select cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography) as point)
select responder_id as id from last_position, patient
where ST_DWithin(last_position.position, point, :within_m)
union
select responder_id from place, patient where ST_DWithin(place.position, point, :within_m)
""")


async def gather(
    conn: AsyncConnection,
    incident: Emergency,
    policy: matching.Policy,
    *,
    within_m: float,
    live: Mapping[UUID, store.Fix],
    named: Sequence[UUID] | None,
    now: datetime,
) -> list[Person]:
    """Return everyone of the incident's organisation and below who may be within reach.

    With `named` exactly these, wherever they are. Raises NotFound when one of them is not there.
    """
    if named is not None:
        people = await describe(conn, incident, policy, named, live=live, now=now)
        if len(people) < len(set(named)):
            raise errors.NotFound
        people = [_regardless_of_place(person) for person in people]
        return await _restrain(conn, incident, policy, people, is_budgeted=False, now=now)
    near = await stored_near(conn, incident, within_m=within_m) | await _nowhere(conn, incident)
    people = await describe(conn, incident, policy, [*near, *live], live=live, now=now)
    people = [person for person in people if _is_near(person, incident.position, within_m)]
    return await _restrain(conn, incident, policy, people, is_budgeted=True, now=now)


async def stored_near(conn: AsyncConnection, incident: Scene, *, within_m: float) -> set[UUID]:
    """Name who may be within reach by what is stored."""
    spot, within_m = incident.position, within_m + POSITION_LAG_M
    values = {"lon": spot.lon, "lat": spot.lat, "within_m": within_m}
    return {row.id for row in await conn.execute(_NEAR, values)}


# Looks at everybody on duty, which takes longer than all else: once for a plan is enough.
_NOWHERE = sa.text("""
select responder.id from responder
join org on org.id = responder.org_id and starts_with(org.path, :path)
where responder.duty = 'available'
  and not exists (select from last_position where responder_id = responder.id)
  and not exists (select from place where responder_id = responder.id)
limit :nowhere_most
""")


async def _nowhere(conn: AsyncConnection, incident: Scene) -> set[UUID]:
    """Name some people on duty of whom no position is stored."""
    values = {"path": incident.org_path, "nowhere_most": NOWHERE_MOST}
    return {row.id for row in await conn.execute(_NOWHERE, values)}


# The primary keys, and the indexes by responder.
_FACTS = sa.text("""
select responder.id, responder.org_id, responder.duty, responder.duty_until,
       responder.rest_until, responder.skills,
       responder.born_on, responder.code, responder.suspended_reason,
       responder.version, responder.quiet_from, responder.quiet_until, responder.quiet_except,
       cast(cast(:now as timestamptz) at time zone org.timezone as time) as local_time,
       person.name, person.name_en, person.is_invented, org.timezone,
       cast(cast(:now as timestamptz) at time zone org.timezone as date) as today,
       held.valid_until, last_position.at as seen_at, last_position.accuracy_m,
       ST_X(last_position.position::geometry) as lon, ST_Y(last_position.position::geometry) as lat,
       exists (select from alert where alert.responder_id = responder.id
               and alert.incident_id = :incident_id) as was_asked,
       exists (select from alert
               join incident on incident.id = alert.incident_id and incident.practice_of is null
               where alert.responder_id = responder.id
               and alert.status in ('pending','notified','delivered','seen')) as is_asked,
       (select whose.path from assignment
        join incident on incident.id = assignment.incident_id
        join org as whose on whose.id = incident.org_id
        where assignment.responder_id = responder.id and assignment.ended_at is null
              and incident.practice_of is null)
           as mission_path
from responder
join org on org.id = responder.org_id and starts_with(org.path, :path)
join person on person.id = responder.id and person.disabled_at is null
left join last_position on last_position.responder_id = responder.id
left join lateral (
    select max(expires_on) as valid_until from certificate
    where certificate.responder_id = responder.id and certificate.status = 'verified'
) as held on true
where responder.id = any(cast(:ids as uuid[]))
order by responder.id
""")


async def describe(
    conn: AsyncConnection,
    incident: Scene,
    policy: matching.Policy,
    ids: Sequence[UUID],
    *,
    live: Mapping[UUID, store.Fix],
    now: datetime,
) -> list[Person]:
    """Say of some people where each is thought to be and what speaks against asking.

    Who is not of the incident's organisation and below is left out.
    """
    values = {
        "ids": list(ids), "path": incident.org_path, "incident_id": incident.id, "now": now,
    }  # fmt: skip
    rows = (await conn.execute(_FACTS, values)).mappings().all()
    fixes = {row["id"]: newer(_stored(row), live.get(row["id"])) for row in rows}
    places: dict[UUID, list[store.Place]] = {}
    unsure = [person for person, fix in fixes.items() if not is_fresh(fix, policy, now=now)]
    for place in await store.list_places(conn, unsure) if unsure else ():
        places.setdefault(place.responder_id, []).append(place)
    return [_person(row, fixes[row["id"]], places.get(row["id"], []), policy, now) for row in rows]


def _stored(row: sa.RowMapping) -> store.Fix | None:
    if row["seen_at"] is None:
        return None
    accuracy = row["accuracy_m"]
    spot = position.Position(row["lon"], row["lat"])
    return store.Fix(spot, row["seen_at"], None if accuracy is None else float(accuracy))


def newer(stored: store.Fix | None, live: store.Fix | None) -> store.Fix | None:
    """Give the newer of the stored and the live position; the live one where both are as old."""
    if stored is None or (live is not None and live.at >= stored.at - _SAME):
        return live
    return stored


def is_fresh(
    fix: store.Fix | None, policy: matching.Policy, *, now: datetime
) -> TypeGuard[store.Fix]:
    """Say whether a fix is new and sure enough to go by, whatever the declared places."""
    if fix is None or (now - fix.at).total_seconds() > policy.last_for_s:
        return False
    return fix.accuracy_m is None or fix.accuracy_m <= policy.accuracy_most_m


def nowhere(fix: store.Fix | None, policy: matching.Policy, *, now: datetime) -> matching.Reason:
    """Say why nobody knows where somebody is who has no declared place at this hour."""
    if fix is None:
        return matching.Reason.NO_POSITION
    is_old = (now - fix.at).total_seconds() > policy.last_for_s
    return matching.Reason.POSITION_STALE if is_old else matching.Reason.POSITION_VAGUE


def _person(
    row: sa.RowMapping,
    fix: store.Fix | None,
    places: Sequence[store.Place],
    policy: matching.Policy,
    now: datetime,
) -> Person:
    responder = store.Responder.from_row(row)
    source, spot, at = where(fix, places, row["timezone"], policy, now=now)
    against = _against(responder, row, policy, now)
    if source is None:
        against.append((nowhere(fix, policy, now=now), {}))
    blocked, args = against[0] if against else (None, {})
    return Person(
        responder.id, responder.name, responder.name_en, responder.is_invented, responder.skills,
        responder.duty_at(now), spot, source, at, blocked, args,
        None if fix is None or at is None else fix.accuracy_m, row["mission_path"],
        restraint.is_quiet(row["quiet_from"], row["quiet_until"], row["local_time"]),
        tuple(states.Kind(kind) for kind in row["quiet_except"]), tuple(against),
    )  # fmt: skip


def where(
    fix: store.Fix | None,
    places: Sequence[store.Place],
    time_zone: str,
    policy: matching.Policy,
    *,
    now: datetime,
) -> tuple[str | None, position.Position | None, datetime | None]:
    """Choose where a person is thought to be: live, last known, or a place at its hours."""
    if is_fresh(fix, policy, now=now):
        is_live = (now - fix.at).total_seconds() <= policy.live_for_s
        return ("live" if is_live else "last"), fix.position, fix.at
    # A place with hours says more than one without.
    for place in sorted(places, key=lambda place: (place.hours is None, place.kind, place.id)):
        if _holds(place, time_zone, now):
            return place.kind, place.position, None
    return None, None if fix is None else fix.position, None if fix is None else fix.at


def _holds(place: store.Place, time_zone: str, now: datetime) -> bool:
    if place.hours is None:
        return True
    # A place at its hours is judged like a public cabinet at its opening times.
    always = usability.Conditions(
        usability.Status.IN_SERVICE, usability.Access.PUBLIC, place.hours, None, time_zone,
        is_suspect=False, lon=round(place.position.lon, 1), lat=round(place.position.lat, 1),
    )  # fmt: skip
    return usability.judge(always, now).state is usability.Usable.YES


_DUTY_REASONS = {
    states.Duty.OFF_DUTY: matching.Reason.OFF_DUTY,
    states.Duty.RESTING: matching.Reason.RESTING,
    states.Duty.SUSPENDED: matching.Reason.SUSPENDED,
}


def _against(
    responder: store.Responder, row: sa.RowMapping, policy: matching.Policy, now: datetime
) -> list[restraint.Against]:
    """List all that forbids asking, wherever the person is; the first is the reason shown."""
    found: list[restraint.Against] = []
    duty, until = responder.duty_at(now), responder.until_at(now)
    if row["was_asked"]:
        found.append((matching.Reason.ALREADY_ALERTED, {}))
    if duty in _DUTY_REASONS:
        found.append((_DUTY_REASONS[duty], {} if until is None else {"until": until.isoformat()}))
    if row["is_asked"] or row["mission_path"] is not None:
        found.append((matching.Reason.BUSY, {}))
    return [*found, *_papers(responder, row["valid_until"], policy, today=row["today"])]


def _papers(
    responder: store.Responder, valid_until: date | None, policy: matching.Policy, *, today: date
) -> list[restraint.Against]:
    """Say what about a person's papers forbids asking; a missing date of birth does not."""
    found: list[restraint.Against] = []
    if valid_until is None:
        found.append((matching.Reason.NO_CERTIFICATE, {}))
    elif valid_until < today:
        args = {"expired_on": valid_until.isoformat()}
        found.append((matching.Reason.CERTIFICATE_EXPIRED, args))
    if responder.born_on is not None and _age(responder.born_on, today) < policy.youngest:
        found.append((matching.Reason.UNDER_AGE, {"youngest": policy.youngest}))
    return found


def _age(born_on: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (0 if had_birthday else 1)


async def _restrain(
    conn: AsyncConnection,
    incident: Emergency,
    policy: matching.Policy,
    people: Sequence[Person],
    *,
    is_budgeted: bool,
    now: datetime,
) -> list[Person]:
    """Add how likely a yes of each is, and leave in peace who has been asked enough."""
    free = [person for person in people if person.blocked is None]
    ids = [person.id for person in free]
    known = await histories.read(conn, ids, exercise=incident.exercise, now=now) if ids else {}
    exempt = _nearest(
        [person for person in free if not _wants_peace(person, incident, policy)], incident, policy
    )
    restrained = []
    for person in people:
        history = known.get(person.id, histories.History())
        counts = is_budgeted and person.id not in exempt
        is_quiet = _wants_peace(person, incident, policy)
        load = restraint.Load(is_quiet, history.last_day if counts else None)
        blocked, args = person.blocked, person.blocked_args
        if blocked is None:
            blocked, args = restraint.hold_back(policy, incident.kind, load)
        yes = histories.accept(policy, history)
        restrained.append(replace(person, accept=yes, blocked=blocked, blocked_args=args))
    return restrained


def _wants_peace(person: Person, incident: Emergency, policy: matching.Policy) -> bool:
    """Say whether the person's quiet hours hold against this kind of emergency."""
    loud = (*person.quiet_except, *policy.breakthrough)
    return person.is_quiet and incident.kind not in loud


def _nearest(
    free: Sequence[Person], incident: Emergency, policy: matching.Policy
) -> frozenset[UUID]:
    """Return the nearest who could be asked, for whom no budget holds."""
    away = [
        (position.distance_m(person.position, incident.position), person.id)
        for person in free
        if person.position is not None
    ]
    return frozenset(person for _, person in sorted(away)[: policy.budget_exempt])


_PLACE_REASONS = frozenset(
    {
        matching.Reason.NO_POSITION,
        matching.Reason.POSITION_STALE,
        matching.Reason.POSITION_VAGUE,
    }
)


def _regardless_of_place(person: Person) -> Person:
    if person.blocked not in _PLACE_REASONS:
        return person
    return replace(
        person, position=None, position_source=None, position_at=None, blocked=None,
        blocked_args={}, accuracy_m=None,
    )  # fmt: skip


def _is_near(person: Person, patient: position.Position, within_m: float) -> bool:
    if person.position is None:
        return True
    return position.distance_m(person.position, patient) <= within_m
