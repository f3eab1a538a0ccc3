"""Who is nearest to a point, by the way on foot or wheels and by how well it is known where.

Candidates come in rings: the nearest by the stored positions and the declared places, from
PostgreSQL, and the nearest by live positions, from Redis. When the last of those wanted is nearer
than anybody who was not looked at can be, the answer is whole; else more are looked at. Without
Redis the stored positions are used and said to be such.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, eligibility, matching, store
from geo import position, walking
from realtime import presence

#: Candidates of each source in the first ring, per person wanted and at least; each ring has four
#: times as many as the one before.
RING_PER_WANTED = 5
RING_LEAST = 50
RING_GROWS = 4
#: No ring is wider; whoever is not in it has thousands of others before them.
RING_MOST = 10_000
#: Live positions are this far from the stored ones at most.
LAG_M = 150.0
#: By so much may a way be shorter than the straight line: sphere and spheroid, door and street.
SHORTCUT_M = 20.0

#: What is known better than this costs nothing in the order.
FINE_M = 50.0
FRESH_S = 60.0
#: What a declared place is accurate to.
PLACE_ACCURACY_M = 100.0
#: Somebody of whom nothing new was heard drifts away so fast, as a rule of thumb.
DRIFT_MPS = 0.3


class Source(StrEnum):
    """Where a position comes from."""

    LIVE = "live"
    PLACE = "place"
    LAST_KNOWN = "last_known"


@dataclass(frozen=True, slots=True)
class Scene:
    """A place that somebody asks about, as if an incident were there."""

    id: UUID
    org_path: str
    position: position.Position


@dataclass(frozen=True, slots=True)
class Question:
    """Who is wanted: up to `limit` who come within `within_s` seconds at `speed_mps`."""

    org_path: str
    origin: position.Position
    limit: int
    within_s: float
    speed_mps: float
    skill: str | None
    only_usable: bool
    # When they set out.
    at: datetime


@dataclass(frozen=True, slots=True)
class Near:
    """Somebody who can come. `allowance_s` is what doubt about the position costs in the order."""

    person: eligibility.Person
    position: position.Position
    source: Source
    age_s: float | None
    accuracy_m: float | None
    travel: walking.Travel
    allowance_s: float

    @property
    def rank(self) -> tuple[float, UUID]:
        """Sort by this: travel time with the allowance, then id."""
        return self.travel.travel_s + self.allowance_s, self.person.id


@dataclass(frozen=True, slots=True)
class Answer:
    """The nearest first; `is_live` says whether the live positions could be asked."""

    people: list[Near]
    is_live: bool


async def find(
    database: db.Database,
    live: redis.asyncio.Redis,
    network: walking.WalkingNetwork,
    policy: matching.Policy,
    question: Question,
    *,
    now: datetime,
) -> Answer:
    """Find who can come soonest. No database connection is held while Redis is asked."""
    scene = Scene(UUID(int=0), question.org_path, question.origin)
    most = max(RING_LEAST, RING_PER_WANTED * question.limit)
    # Reads that need not fit together: no BEGIN and ROLLBACK around them.
    reads = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    while True:
        async with reads.connect() as conn:
            stored = await _stored(conn, question, most)
        around = await _around(live, question, most, stored.ids, now)
        fixes = {UUID(key): _fix(place) for key, place in around.places.items()}
        async with reads.connect() as conn:
            people = await eligibility.describe(
                conn, scene, policy, [*stored.ids, *fixes], live=fixes, now=question.at
            )
        found = _ranked(network, question, people, fixes, policy)
        # Whoever was not looked at is beyond both rings, or beyond the one of the stored positions
        # by as much as these may lag behind.
        beyond_m = max(min(stored.beyond_m, around.beyond_m), stored.beyond_m - LAG_M)
        if most >= RING_MOST or _is_whole(found, question, beyond_m):
            return Answer(found[: question.limit], around.is_known)
        most *= RING_GROWS


def _is_whole(found: Sequence[Near], question: Question, beyond_m: float) -> bool:
    if math.isinf(beyond_m):
        return True
    if len(found) < question.limit:
        return False
    return found[question.limit - 1].rank[0] <= (beyond_m - SHORTCUT_M) / question.speed_mps


# ---- candidates


@dataclass(frozen=True, slots=True)
class _Ring:
    ids: list[UUID]
    beyond_m: float


# ix_last_position_position and ix_place_position, each read outwards from the point.
_STORED = sa.text("""
select id, metres, list from (
    select last_position.responder_id as id, 'last' as list,
           last_position.position
           <-> cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography) as metres
    from last_position
    join responder on responder.id = last_position.responder_id
    join org on org.id = responder.org_id and starts_with(org.path, :path)
    where ST_DWithin(last_position.position,
                     cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography), :within_m)
      and (cast(:skill as text) is null or responder.skills @> array[cast(:skill as text)])
    order by metres limit :most
) as last
union all
select id, metres, list from (
    select place.responder_id as id, 'place' as list,
           place.position
           <-> cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography) as metres
    from place
    join responder on responder.id = place.responder_id
    join org on org.id = responder.org_id and starts_with(org.path, :path)
    where ST_DWithin(place.position,
                     cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography), :within_m)
      and (cast(:skill as text) is null or responder.skills @> array[cast(:skill as text)])
    order by metres limit :most
) as placed
""")


async def _stored(conn: AsyncConnection, question: Question, most: int) -> _Ring:
    values = {
        "lon": question.origin.lon, "lat": question.origin.lat, "path": question.org_path,
        "within_m": _within_m(question), "skill": question.skill, "most": most,
    }  # fmt: skip
    rows = (await conn.execute(_STORED, values)).all()
    beyond_m = math.inf
    for name in ("last", "place"):
        metres = [row.metres for row in rows if row.list == name]
        if len(metres) >= most:
            beyond_m = min(beyond_m, max(metres))
    return _Ring(list({row.id: None for row in rows}), beyond_m)


async def _around(
    live: redis.asyncio.Redis, question: Question, most: int, ids: Sequence[UUID], now: datetime
) -> presence.Around:
    return await presence.near(
        live, question.origin.lon, question.origin.lat,
        within_m=_within_m(question), most=most, also=[str(person) for person in ids], now=now,
    )  # fmt: skip


def _within_m(question: Question) -> float:
    return question.within_s * question.speed_mps + LAG_M


def _fix(place: presence.Place) -> store.Fix:
    return store.Fix(position.Position(place.lon, place.lat), place.at, place.accuracy_m)


# ---- the order


def _ranked(
    network: walking.WalkingNetwork,
    question: Question,
    people: Sequence[eligibility.Person],
    live: dict[UUID, store.Fix],
    policy: matching.Policy,
) -> list[Near]:
    placed = [
        (person, person.position)
        for person in people
        if person.position is not None and _is_wanted(person, question)
    ]
    travels = network.times(
        question.origin, [place for _, place in placed],
        within_s=question.within_s, speed_mps=question.speed_mps, inbound=True,
    )  # fmt: skip
    found = [
        _near(person, place, travel, question=question, live=live.get(person.id), policy=policy)
        for (person, place), travel in zip(placed, travels, strict=True)
        if travel is not None
    ]
    return sorted(found, key=lambda near: near.rank)


def _is_wanted(person: eligibility.Person, question: Question) -> bool:
    if question.skill is not None and question.skill not in person.skills:
        return False
    return person.blocked is None or not question.only_usable


def _near(
    person: eligibility.Person,
    place: position.Position,
    travel: walking.Travel,
    *,
    question: Question,
    live: store.Fix | None,
    policy: matching.Policy,
) -> Near:
    if person.position_at is None:
        doubt_s = _allowance_s(PLACE_ACCURACY_M, 0.0, question.speed_mps)
        return Near(person, place, Source.PLACE, None, PLACE_ACCURACY_M, travel, doubt_s)
    age_s = max(0.0, (question.at - person.position_at).total_seconds())
    is_live = live is not None and live.at == person.position_at and age_s <= policy.live_for_s
    doubt_s = _allowance_s(person.accuracy_m, age_s, question.speed_mps)
    source = Source.LIVE if is_live else Source.LAST_KNOWN
    return Near(person, place, source, age_s, person.accuracy_m, travel, doubt_s)


def _allowance_s(accuracy_m: float | None, age_s: float, speed_mps: float) -> float:
    """Turn doubt about a position into seconds of way: vague, and old, costs."""
    vague_m = max(0.0, (accuracy_m or 0.0) - FINE_M)
    return (vague_m + DRIFT_MPS * max(0.0, age_s - FRESH_S)) / speed_mps
