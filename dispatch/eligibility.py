"""Who could be asked at all, where each is thought to be, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeGuard
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import considered, db, matching, restraint, states, store
from dispatch.store import reading
from geo import position, usability

#: Redis keeps milliseconds.
_SAME = timedelta(milliseconds=1)


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
    # Metres in a straight line to the scene.
    away_m: float | None = None


# The primary keys and ix_certificate_verified; who was asked and who is bound are few.
_FACTS = sa.text("""
with asked as materialized (
    select distinct on (responder_id) responder_id, stood_down_at is not null as was_stopped
    from alert
    where incident_id = :incident_id
      and notified_at >= coalesce(
          (select reopened_at from incident where id = :incident_id), '-infinity')
    order by responder_id, id desc
), bound as materialized (
    select alert.responder_id from alert
    join incident on incident.id = alert.incident_id
    where alert.status in ('pending','notified','delivered','seen')
      and alert.responder_id = any(cast(cast(:ids as text) as uuid[]))
      and incident.practice_of is null and incident.exercise <= :is_exercise
    union
    select assignment.responder_id from assignment
    join incident on incident.id = assignment.incident_id
    where assignment.ended_at is null
      and assignment.responder_id = any(cast(cast(:ids as text) as uuid[]))
      and incident.practice_of is null and incident.exercise <= :is_exercise
), mission as materialized (
    select assignment.responder_id, whose.path from assignment
    join incident on incident.id = assignment.incident_id
    join org as whose on whose.id = incident.org_id
    where assignment.ended_at is null and incident.practice_of is null
      and assignment.responder_id = any(cast(cast(:ids as text) as uuid[]))
), zone as materialized (
    select id, timezone,
           cast(cast(:now as timestamptz) at time zone timezone as time) as local_time,
           cast(cast(:now as timestamptz) at time zone timezone as date) as today
    from org where starts_with(path, :path)
)
select responder.id, responder.org_id, responder.duty, responder.duty_until, responder.rest_until,
       responder.skills, responder.born_on, responder.code, responder.suspended_reason,
       responder.version, responder.quiet_from, responder.quiet_until, responder.quiet_except,
       person.name, person.name_en, person.is_invented,
       zone.timezone, zone.local_time, zone.today,
       (select max(expires_on) from certificate
        where certificate.responder_id = responder.id and certificate.status = 'verified')
           as valid_until,
       asked.was_stopped, bound.responder_id is not null as is_bound, mission.path as mission_path,
       ST_X(seen.position::geometry) as lon, ST_Y(seen.position::geometry) as lat,
       cast(seen.accuracy_m as float8) as accuracy_m, seen.at as seen_at
from responder
join zone on zone.id = responder.org_id
join person on person.id = responder.id and person.disabled_at is null
left join asked on asked.responder_id = responder.id
left join bound on bound.responder_id = responder.id
left join mission on mission.responder_id = responder.id
left join last_position as seen on seen.responder_id = responder.id
where responder.id = any(cast(cast(:ids as text) as uuid[]))
order by responder.id
""")


async def describe(
    conn: AsyncConnection,
    incident: considered.Scene,
    policy: matching.Policy,
    ids: Sequence[UUID],
    *,
    live: Mapping[UUID, store.Fix],
    is_exercise: bool = False,
    now: datetime,
) -> list[Person]:
    """Say of some people where each is thought to be and what speaks against asking.

    An exercise keeps nobody from a real alarm. Who is not of the incident's organisation and below
    is left out; the others come in the order of their ids.
    """
    values = {
        # One text: psycopg writes a list of hundreds of ids much more slowly.
        "ids": f"{{{','.join([person.hex for person in ids])}}}",
        "path": incident.org_path, "incident_id": incident.id, "now": now,
        "is_exercise": is_exercise,
    }  # fmt: skip
    [rows] = await db.together(conn, (_FACTS, values))
    fixes = [newer(stored(row), live.get(row["id"])) for row in rows]
    places: dict[UUID, list[store.Place]] = {}
    unsure = [
        row["id"]
        for row, fix in zip(rows, fixes, strict=True)
        if not is_fresh(fix, policy, now=now)
    ]
    for place in await store.list_places(conn, unsure) if unsure else ():
        places.setdefault(place.responder_id, []).append(place)
    return [
        _person(row, fix, places.get(row["id"], ()) if places else (), incident, policy, now=now)
        for row, fix in zip(rows, fixes, strict=True)
    ]


def stored(row: reading.Row) -> store.Fix | None:
    """Read the last position of a row, if one is stored."""
    if row["seen_at"] is None:
        return None
    return store.Fix(position.Position(row["lon"], row["lat"]), row["seen_at"], row["accuracy_m"])


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
    row: reading.Row,
    fix: store.Fix | None,
    places: Sequence[store.Place],
    scene: considered.Scene,
    policy: matching.Policy,
    *,
    now: datetime,
) -> Person:
    duty, until = _duty(row, now)
    source, spot, at = where(fix, places, row["timezone"], policy, now=now)
    against = _against(row, duty, until, policy)
    if source is None:
        against.append((nowhere(fix, policy, now=now), {}))
    blocked, args = against[0] if against else (None, {})
    return Person(
        row["id"], row["name"], row["name_en"], row["is_invented"], tuple(row["skills"]),
        duty, spot, source, at, blocked, args,
        None if fix is None or at is None else fix.accuracy_m, row["mission_path"],
        restraint.is_quiet(row["quiet_from"], row["quiet_until"], row["local_time"]),
        tuple([_KINDS[kind] for kind in row["quiet_except"]]), tuple(against),
        policy.accept_prior,
        None if spot is None else round(position.distance_m(spot, scene.position), 1),
    )  # fmt: skip


#: To look up a member takes a tenth of the time of making it, and there are hundreds of people.
_DUTIES = {duty.value: duty for duty in states.Duty}
_KINDS = {kind.value: kind for kind in states.Kind}


def _duty(row: reading.Row, now: datetime) -> tuple[states.Duty, datetime | None]:
    """Say on what duty somebody is, and until when."""
    if row["duty_until"] is None and row["rest_until"] is None:
        return _DUTIES[row["duty"]], None
    responder = store.Responder.from_row(row)
    return responder.duty_at(now), responder.until_at(now)


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


#: Which reason a duty gives that keeps somebody from being asked.
DUTY_REASONS = {
    states.Duty.OFF_DUTY: matching.Reason.OFF_DUTY,
    states.Duty.RESTING: matching.Reason.RESTING,
    states.Duty.SUSPENDED: matching.Reason.SUSPENDED,
}


def _against(
    row: reading.Row, duty: states.Duty, until: datetime | None, policy: matching.Policy
) -> list[restraint.Against]:
    """List all that forbids asking, wherever the person is; the first is the reason shown."""
    found: list[restraint.Against] = []
    if row["was_stopped"] is not None:
        reasons = (matching.Reason.ALREADY_ALERTED, matching.Reason.STOOD_DOWN_BEFORE)
        found.append((reasons[row["was_stopped"]], {}))
    if duty in DUTY_REASONS:
        found.append((DUTY_REASONS[duty], {} if until is None else {"until": until.isoformat()}))
    if row["is_bound"]:
        found.append((matching.Reason.BUSY, {}))
    papers = restraint.papers(policy, row["born_on"], row["valid_until"], today=row["today"])
    return [*found, *papers]
