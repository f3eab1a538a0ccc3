"""Who could be asked at all, where each is thought to be, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol, TypeGuard
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, matching, states, store
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


# ix_last_position_position and ix_place_position find who is near.
_NEAR = sa.text("""
with patient as (select cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography) as point)
select responder_id as id from last_position, patient
where ST_DWithin(last_position.position, point, :within_m)
union
select responder_id from place, patient where ST_DWithin(place.position, point, :within_m)
union
select id from (
    select responder.id from responder
    join org on org.id = responder.org_id and starts_with(org.path, :path)
    where responder.duty = 'available'
      and not exists (select from last_position where responder_id = responder.id)
      and not exists (select from place where responder_id = responder.id)
    limit :nowhere_most
) as nowhere
""")


async def gather(
    conn: AsyncConnection,
    incident: Scene,
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
        return [_regardless_of_place(person) for person in people]
    values = {
        "lon": incident.position.lon, "lat": incident.position.lat, "path": incident.org_path,
        "within_m": within_m + POSITION_LAG_M, "nowhere_most": NOWHERE_MOST,
    }  # fmt: skip
    near = {row.id for row in await conn.execute(_NEAR, values)}
    people = await describe(conn, incident, policy, [*near, *live], live=live, now=now)
    return [person for person in people if _is_near(person, incident.position, within_m)]


# The primary keys, and the indexes by responder.
_FACTS = sa.text("""
select responder.id, responder.org_id, responder.duty, responder.duty_until, responder.skills,
       responder.born_on, responder.code, responder.suspended_reason,
       responder.version, person.name, person.name_en, person.is_invented, org.timezone,
       cast(cast(:now as timestamptz) at time zone org.timezone as date) as today,
       held.valid_until, last_position.at as seen_at, last_position.accuracy_m,
       ST_X(last_position.position::geometry) as lon, ST_Y(last_position.position::geometry) as lat,
       exists (select from alert where alert.responder_id = responder.id
               and alert.incident_id = :incident_id) as was_asked,
       exists (select from alert where alert.responder_id = responder.id
               and alert.status in ('pending','notified','delivered','seen')) as is_asked,
       (select whose.path from assignment
        join incident on incident.id = assignment.incident_id
        join org as whose on whose.id = incident.org_id
        where assignment.responder_id = responder.id and assignment.ended_at is null)
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
    """Say whether a fix is new enough to say where somebody is, whatever the declared places."""
    return fix is not None and (now - fix.at).total_seconds() <= policy.last_for_s


def _person(
    row: sa.RowMapping,
    fix: store.Fix | None,
    places: Sequence[store.Place],
    policy: matching.Policy,
    now: datetime,
) -> Person:
    responder = store.Responder.from_row(row)
    source, spot, at = where(fix, places, row["timezone"], policy, now=now)
    blocked, args = _blocked(responder, row, policy, now)
    if blocked is None and source is None:
        blocked = matching.Reason.NO_POSITION if fix is None else matching.Reason.POSITION_STALE
    return Person(
        responder.id, responder.name, responder.name_en, responder.is_invented, responder.skills,
        responder.duty_at(now), spot, source, at, blocked, args,
        None if fix is None or at is None else fix.accuracy_m, row["mission_path"],
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


DUTY_REASONS = {
    states.Duty.OFF_DUTY: matching.Reason.OFF_DUTY,
    states.Duty.RESTING: matching.Reason.RESTING,
    states.Duty.SUSPENDED: matching.Reason.SUSPENDED,
}


def _blocked(
    responder: store.Responder, row: sa.RowMapping, policy: matching.Policy, now: datetime
) -> tuple[matching.Reason | None, Mapping[str, object]]:
    duty = responder.duty_at(now)
    if row["was_asked"]:
        return matching.Reason.ALREADY_ALERTED, {}
    if duty in DUTY_REASONS:
        until = responder.duty_until
        return DUTY_REASONS[duty], {} if until is None else {"until": until.isoformat()}
    if row["is_asked"] or row["mission_path"] is not None:
        return matching.Reason.BUSY, {}
    return unfit(responder, row["valid_until"], policy, today=row["today"])


def unfit(
    responder: store.Responder,
    valid_until: date | None,
    policy: matching.Policy,
    *,
    today: date,
) -> tuple[matching.Reason | None, Mapping[str, object]]:
    """Say what about a person's papers forbids asking; a missing date of birth does not."""
    if valid_until is None:
        return matching.Reason.NO_CERTIFICATE, {}
    if valid_until < today:
        return matching.Reason.CERTIFICATE_EXPIRED, {"expired_on": valid_until.isoformat()}
    if responder.born_on is not None and _age(responder.born_on, today) < policy.youngest:
        return matching.Reason.UNDER_AGE, {"youngest": policy.youngest}
    return None, {}


def _age(born_on: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (0 if had_birthday else 1)


_PLACE_REASONS = frozenset({matching.Reason.NO_POSITION, matching.Reason.POSITION_STALE})


def _regardless_of_place(person: Person) -> Person:
    if person.blocked not in _PLACE_REASONS:
        return person
    return Person(
        person.id, person.name, person.name_en, person.is_invented, person.skills, person.duty,
        None, None, None, None,
    )  # fmt: skip


def _is_near(person: Person, patient: position.Position, within_m: float) -> bool:
    if person.position is None:
        return True
    return position.distance_m(person.position, patient) <= within_m
