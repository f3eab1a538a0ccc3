"""The last known position of a person, stored seldom and kept shortly: the live ones are in Redis.

Of nobody more than one position is stored, and no track. It goes half an hour after it was last
renewed, and at once when the person goes off duty; somebody on a mission is followed to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import numpy as np
import orjson
import redis.asyncio
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, gates, store, tables, telling
from dispatch.store import reading
from geo import position
from realtime import presence

#: A position is stored after this time, or as soon as the person has moved this far.
STORE_EVERY = timedelta(seconds=15)
STORE_EVERY_M = 100.0
#: Stored positions lag behind the live ones by up to this; and a little for measuring on a sphere.
LAG_M = STORE_EVERY_M + 10.0
#: Whoever is on the way and was so far away at the last look arrives at another time.
JUMP_M = 100.0
#: A fix that claims to be older than this comes from a phone whose clock is wrong.
OLDEST = timedelta(days=1)
#: The sweep comes once a minute, so that half an hour is kept in any case.
KEPT_FOR = timedelta(minutes=28)
#: Who opens the app tells the place first and goes on duty then; it is kept for so long.
KEPT_OFF_DUTY = timedelta(minutes=5)
#: People whom Redis names around a point; beyond so many the stored positions do.
LIVE_MOST = 2_000
#: So many people are listed of whom no position is known, looked for among so many on duty.
UNPLACED_MOST = 50
ON_DUTY_LOOKED_AT = 500
#: Rows of one sweep; the next takes the others.
SWEEP_MOST = 5_000


class Outcome(StrEnum):
    """What became of a reported position."""

    STORED = "stored"
    KEPT = "kept"  # too near in time and place to the stored one, which stays
    IMPLAUSIBLE = "implausible"  # nobody moves that fast; worth nothing, not even live
    JUMP = "jump"  # farther than its own accuracy allows
    VAGUE = "vague"  # it holds the whole town
    OLD = "old"  # a newer one is stored


_OUTCOMES = {
    gates.Refusal.TOO_FAST: Outcome.IMPLAUSIBLE,
    gates.Refusal.JUMP: Outcome.JUMP,
    gates.Refusal.VAGUE: Outcome.VAGUE,
}
#: Why a position was not taken, in the words of a refusal.
REFUSALS: Mapping[Outcome, gates.Refusal] = {
    outcome: refusal for refusal, outcome in _OUTCOMES.items()
}


async def report(
    conn: AsyncConnection, responder_id: UUID, fix: store.Fix, *, is_stated: bool, now: datetime
) -> Outcome:
    """Take a person's position; what a person states is believed, a stream of fixes is sifted.

    In an exercise the gate allows as many times the speed as the phones' movement is faster.
    """
    at = now if fix.at > now or fix.at < now - OLDEST else fix.at
    fix = store.Fix(fix.position, at, fix.accuracy_m)
    last = (await store.last_fixes(conn, [responder_id])).get(responder_id)
    if not is_stated:
        verdict = _verdict(last, fix, await _drill_speed(conn, responder_id, now))
        if verdict is not Outcome.STORED:
            return verdict
    values = {
        "position": fix.position.ewkb(),
        "accuracy_m": fix.accuracy_m,
        "at": fix.at,
        "received_at": now,
    }
    await conn.execute(
        pg.insert(tables.last_position)
        .values(responder_id=responder_id, **values)
        .on_conflict_do_update(index_elements=["responder_id"], set_=values)
    )
    return Outcome.STORED


def _verdict(last: store.Fix | None, fix: store.Fix, drill_speed: float) -> Outcome:
    if last is not None and fix.at < last.at:
        return Outcome.OLD
    track = None if last is None else gates.start(last)
    refusal = gates.plausible(track, fix, drill_speed=drill_speed)
    if refusal is not None:
        return _OUTCOMES[refusal]
    return Outcome.STORED if is_due(last, fix) else Outcome.KEPT


def is_due(stored: store.Fix | None, fix: store.Fix) -> bool:
    """Say whether a position is far enough from the stored one, in time or place, to be stored."""
    if stored is None or fix.at - stored.at >= STORE_EVERY:
        return True
    return not position.is_near(stored.position, fix.position, STORE_EVERY_M)


async def _drill_speed(conn: AsyncConnection, responder_id: UUID, now: datetime) -> float:
    found = await standings(conn, [responder_id], now=now)
    return found[responder_id].drill_speed if responder_id in found else 1.0


# ---- many at once


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides about the reports of a responder, as the database had it."""

    is_followed: bool
    # Boards that show where it is: those of the incident it is bound by.
    topics: tuple[str, ...]
    drill_speed: float
    stored: store.Fix | None


# Primary keys, and uq_assignment_live: at most one assignment goes on for each.
_STANDINGS = sa.text("""
select responder.id, going.incident_id, org.code,
       case when incident.exercise then incident.drill_speed end as drill_speed,
       going.incident_id is not null
       or (responder.duty <> 'suspended'
           and case when responder.duty_until is null or responder.duty_until > :now
                    then responder.duty <> 'off_duty'
                    else responder.duty <> 'available' end) as is_followed,
       ST_X(last_position.position::geometry) as lon, ST_Y(last_position.position::geometry) as lat,
       last_position.accuracy_m, last_position.at
from responder
left join assignment as going on going.responder_id = responder.id and going.ended_at is null
left join incident on incident.id = going.incident_id
left join org on org.id = incident.org_id
left join last_position on last_position.responder_id = responder.id
where responder.id = any(cast(:ids as uuid[]))
""")


async def standings(
    conn: AsyncConnection, person_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, Standing]:
    """Look up what decides about the reports of many people; who is no responder is left out."""
    [rows] = await db.together(conn, (_STANDINGS, {"ids": list(person_ids), "now": now}))
    return {row["id"]: _standing(row) for row in rows}


def _standing(row: reading.Row) -> Standing:
    topics: tuple[str, ...] = ()
    if row["incident_id"] is not None:
        topics = (telling.org_topic(row["code"]), telling.incident_topic(row["incident_id"]))
    stored = None
    if row["at"] is not None:
        accuracy = row["accuracy_m"]
        where = position.Position(row["lon"], row["lat"])
        stored = store.Fix(where, row["at"], None if accuracy is None else float(accuracy))
    return Standing(row["is_followed"], topics, float(row["drill_speed"] or 1), stored)


# In the order of the keys, so that two processes never wait for each other in a circle. Who has
# gone off duty meanwhile is left out, and an older position never replaces a newer one.
# The first part looks at what was stored before.
_STORE_MANY = sa.text("""
with sent as materialized (
    select id, accuracy_m, at, cast(ST_SetSRID(ST_MakePoint(lon, lat), 4326) as geography) as place
    from json_to_recordset(cast(:fixes as json))
         as said (id uuid, lon float8, lat float8, accuracy_m float8, at timestamptz)
), jumped as materialized (
    select assignment.id from sent
    join assignment on assignment.responder_id = sent.id and assignment.ended_at is null
         and assignment.status in ('accepted','en_route','aed_collected')
    join last_position on last_position.responder_id = sent.id and last_position.at <= sent.at
         and not ST_DWithin(last_position.position, sent.place, :jump_m)
), stored as (
insert into last_position (responder_id, position, accuracy_m, at, received_at)
select sent.id, sent.place, sent.accuracy_m, sent.at, :now
from sent
join responder on responder.id = sent.id
where exists (select from assignment
              where assignment.responder_id = responder.id and assignment.ended_at is null)
   or (responder.duty <> 'suspended'
       and case when responder.duty_until is null or responder.duty_until > :now
                then responder.duty <> 'off_duty' else responder.duty <> 'available' end)
order by sent.id
on conflict (responder_id) do update
set position = excluded.position, accuracy_m = excluded.accuracy_m, at = excluded.at,
    received_at = excluded.received_at
where last_position.at <= excluded.at
)
select id from jumped order by id
""")


async def store_many(
    conn: AsyncConnection, fixes: Mapping[UUID, store.Fix], *, now: datetime
) -> list[UUID]:
    """Store the positions of many responders in one statement, of those who may be followed.

    Returns the assignments of those on the way who are more than 100 m from where they were.
    """
    # One text is written much faster than five arrays.
    sent = [
        {
            "id": person, "lon": fix.position.lon, "lat": fix.position.lat,
            "accuracy_m": fix.accuracy_m, "at": fix.at,
        }
        for person, fix in fixes.items()
    ]  # fmt: skip
    values = {"fixes": orjson.dumps(sent).decode(), "now": now, "jump_m": JUMP_M}
    [rows] = await db.together(conn, (_STORE_MANY, values))
    return [row["id"] for row in rows]


# ---- now


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Everybody who may be near, by the metres to where each is now, the nearest first.

    A key is the 16 bytes of an id. `is_wanted` marks those who are described however far away:
    asked before, with an AED at hand, or named by Redis alone, who may be of another organisation.
    Of the `unplaced` nobody knows where they are.
    """

    keys: NDArray[np.void]
    metres: NDArray[np.float64]
    is_wanted: NDArray[np.bool_]
    unplaced: Sequence[UUID]

    def ids(self, rows: NDArray[np.intp]) -> list[UUID]:
        """Name those in some rows."""
        return [UUID(bytes=key) for key in self.keys[rows].tolist()]

    def first(self, most: int | None) -> NDArray[np.intp]:
        """Give the rows of those who are described first."""
        is_first = self.is_wanted.copy()
        is_first[:most] = True
        return np.flatnonzero(is_first)


@dataclass(frozen=True, slots=True)
class Around:
    """Where Redis says that people are, and who may be near; None: nobody looked."""

    live: Mapping[UUID, store.Fix]
    order: Order | None = None


# ix_responder_available. To find nobody among all who are on duty takes longer than all else, so
# only some are looked at.
_UNPLACED = sa.text("""
select on_duty.id from (
    select responder.id from responder
    join org on org.id = responder.org_id and starts_with(org.path, :path)
    where responder.duty = 'available'
    limit :looked_at
) as on_duty
where not exists (select from last_position where responder_id = on_duty.id)
  and not exists (select from place where responder_id = on_duty.id)
limit :most
""")


async def unplaced(conn: AsyncConnection, org_path: str) -> list[UUID]:
    """Name some people on duty of whom no position is stored at all, nor a place."""
    values = {"path": org_path, "looked_at": ON_DUTY_LOOKED_AT, "most": UNPLACED_MOST}
    return list((await conn.execute(_UNPLACED, values)).scalars())


async def live_of(
    live: redis.asyncio.Redis, person_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, store.Fix]:
    """Ask Redis where some people are now; without it, of nobody. Never under a lock."""
    found = await presence.latest(live, [str(person) for person in person_ids], now=now)
    return fixes(found)


async def live_around(
    live: redis.asyncio.Redis,
    point: position.Position,
    *,
    within_m: float,
    most: int = LIVE_MOST,
    now: datetime,
) -> dict[UUID, store.Fix]:
    """Ask Redis who is near a point now, the nearest `most`. As `live_of`."""
    around = await presence.near(live, point.lon, point.lat, within_m=within_m, most=most, now=now)
    return fixes(around.places)


def fixes(places: Mapping[str, presence.Place]) -> dict[UUID, store.Fix]:
    """Read what Redis says of some people."""
    return {
        UUID(person): store.Fix(position.Position(place.lon, place.lat), place.at, place.accuracy_m)
        for person, place in places.items()
    }


# ---- forgetting


async def forget(conn: AsyncConnection, responder_id: UUID) -> None:
    """Forget where somebody was, unless a mission still needs to know."""
    last, going = tables.last_position.c, tables.assignment.c
    on_mission = sa.exists().where(going.responder_id == responder_id, going.ended_at.is_(None))
    await conn.execute(
        sa.delete(tables.last_position).where(last.responder_id == responder_id, ~on_mission)
    )


# A minute's rows are few, and each table is read by its primary key. What somebody is writing just
# now is no longer old.
_SWEEP = sa.text("""
delete from last_position where responder_id in (
    select last_position.responder_id
    from last_position join responder on responder.id = last_position.responder_id
    where last_position.received_at < :kept_since
       or (last_position.received_at < :off_duty_since
           and not exists (select from assignment where assignment.responder_id = responder.id
                           and assignment.ended_at is null)
           and (responder.duty = 'suspended'
                or case when responder.duty_until is null or responder.duty_until > :now
                        then responder.duty = 'off_duty' else responder.duty = 'available' end))
    order by last_position.responder_id limit :most
    for update of last_position skip locked)
returning responder_id
""")


async def sweep(conn: AsyncConnection, *, now: datetime) -> list[UUID]:
    """Forget every position that is too old, or whose owner is off duty; name the owners."""
    values = {
        "kept_since": now - KEPT_FOR, "off_duty_since": now - KEPT_OFF_DUTY, "now": now,
        "most": SWEEP_MOST,
    }  # fmt: skip
    return [row.responder_id for row in await conn.execute(_SWEEP, values)]
