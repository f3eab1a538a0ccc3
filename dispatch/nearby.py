"""Who is nearest to a point, by the way on foot or wheels and by how well it is known where.

Candidates come in rings: the nearest by the stored positions and the declared places, from
PostgreSQL, and the nearest by live positions, from Redis. When the last of those wanted is nearer
than anybody who was not looked at can be, the answer is whole; else more are looked at. Where
somebody is decides the order, so all else is read only of those who may come first. Without Redis
the stored positions are used and said to be such.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, eligibility, matching, store, whereabouts
from geo import position, walking
from realtime import presence

#: Candidates of each source in the first ring, per person wanted and at least, and how wide it is;
#: each ring has four times as many and is four times as wide as the one before.
RING_PER_WANTED = 4
RING_LEAST = 40
RING_M = 3_000.0
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

#: Facts are read of so many more than are wanted at first: some are not to be listed.
SPARE = 5


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
    """Find who can come soonest; a Redis that hangs holds a connection for half a second."""
    search = _Search(database, live, network, policy, question, now)
    size = _Size(max(RING_LEAST, RING_PER_WANTED * question.limit), RING_M)
    answer = await search.quickly(size)
    while answer is None:
        size = _Size(size.most * RING_GROWS, size.within_m * RING_GROWS)
        answer = await search.thoroughly(size)
    return answer


@dataclass(frozen=True, slots=True)
class _Size:
    """How many candidates of each source a ring has, and how wide it is, at most."""

    most: int
    within_m: float

    @property
    def is_last(self) -> bool:
        return self.most >= RING_MOST


@dataclass(frozen=True, slots=True)
class _Search:
    """A question with all that it takes to answer it."""

    database: db.Database
    live: redis.asyncio.Redis
    network: walking.WalkingNetwork
    policy: matching.Policy
    question: Question
    now: datetime

    async def quickly(self, size: _Size) -> Answer | None:
        """Answer from one ring; None where it takes more.

        Of the stored positions only those in the answer are compared with the live ones; who has
        gone elsewhere since makes it start anew.
        """
        async with self.database.single() as conn:
            ring, around, fixes = await self._candidates(conn, size)
            found = (await self._first(conn, ring, fixes))[: self.question.limit]
        if not _is_whole(found, self.question, min(ring.beyond_m, around.beyond_m)):
            return None
        if around.is_known and await self._latest({near.person.id for near in found}, fixes):
            return await self.thoroughly(size)
        return Answer(found, around.is_known)

    async def thoroughly(self, size: _Size) -> Answer | None:
        """Answer from one ring, with everybody's live position; None where it takes more."""
        async with self.database.single() as conn:
            ring, around, fixes = await self._candidates(conn, size)
            if around.is_known:
                fixes |= await self._latest(ring.fixes.keys(), fixes)
            found = await self._first(conn, ring, fixes)
        # Whoever was not looked at is beyond both rings, or beyond the one of the stored positions
        # by as much as these may lag behind.
        beyond_m = max(min(ring.beyond_m, around.beyond_m), ring.beyond_m - LAG_M)
        if size.is_last or _is_whole(found, self.question, beyond_m):
            return Answer(found[: self.question.limit], around.is_known)
        return None

    async def _candidates(
        self, conn: AsyncConnection, size: _Size
    ) -> tuple[_Ring, presence.Around, dict[UUID, store.Fix]]:
        """Ask the database and Redis at the same time."""
        asking = asyncio.create_task(self._around(size))
        try:
            ring = await _stored(conn, self.question, size)
            around, fixes = await asking
        finally:
            asking.cancel()
            await asyncio.wait([asking])  # it gives its connection back
        return ring, around, fixes

    async def _around(self, size: _Size) -> tuple[presence.Around, dict[UUID, store.Fix]]:
        origin, within_m = self.question.origin, _within_m(self.question, size)
        around = await presence.near(
            self.live, origin.lon, origin.lat, within_m=within_m, most=size.most, now=self.now
        )
        return around, whereabouts.fixes(around.places)

    async def _latest(
        self, people: Set[UUID], known: Mapping[UUID, store.Fix]
    ) -> dict[UUID, store.Fix]:
        """Read the live positions of those of whom none is known."""
        unknown = [person for person in people if person not in known]
        return await whereabouts.live_of(self.live, unknown, now=self.now)

    async def _first(
        self, conn: AsyncConnection, ring: _Ring, live: Mapping[UUID, store.Fix]
    ) -> list[Near]:
        """Put the candidates in order as far as it is asked for, or farther."""
        question = self.question
        order, unsure = self._by_place(ring, live)
        scene = Scene(UUID(int=0), question.org_path, question.origin)
        people: list[eligibility.Person] = []
        start, end = 0, question.limit + SPARE
        while True:
            ids = [*unsure, *(person for _, person in order[start:end])]
            people += await eligibility.describe(
                conn, scene, self.policy, ids, live=live, now=question.at
            )
            found = _ranked(self.network, question, people, live, self.policy)
            is_enough = len(found) >= question.limit
            if end >= len(order) or (is_enough and found[question.limit - 1].rank <= order[end]):
                return found
            start, end, unsure = end, end * RING_GROWS, []

    def _by_place(
        self, ring: _Ring, live: Mapping[UUID, store.Fix]
    ) -> tuple[list[tuple[float, UUID]], list[UUID]]:
        """Rank those of whom a fix says where they are, and name the others."""
        question, sure, unsure = self.question, [], []
        for person in {**ring.fixes, **live}:
            fix = eligibility.newer(ring.fixes.get(person), live.get(person))
            if eligibility.is_fresh(fix, self.policy, now=question.at):
                sure.append((person, fix))
            else:
                unsure.append(person)
        travels = _travels(self.network, question, [fix.position for _, fix in sure])
        order = [
            (travel.travel_s + _doubt_s(fix.accuracy_m, _age_s(fix.at, question), question), person)
            for (person, fix), travel in zip(sure, travels, strict=True)
            if travel is not None
        ]
        return sorted(order), unsure


def _is_whole(found: Sequence[Near], question: Question, beyond_m: float) -> bool:
    if math.isinf(beyond_m) or len(found) < question.limit:
        return math.isinf(beyond_m)
    return found[question.limit - 1].rank[0] <= (beyond_m - SHORTCUT_M) / question.speed_mps


# ---- candidates


@dataclass(frozen=True, slots=True)
class _Ring:
    """The nearest by what is stored, each with the stored fix; others are `beyond_m` away."""

    fixes: Mapping[UUID, store.Fix | None]
    beyond_m: float


# ix_last_position_position and ix_place_position, each read outwards from the point.
_STORED = sa.text("""
select id, metres, list, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat,
       cast(accuracy_m as float8) as accuracy_m, at as seen_at
from (
    select last_position.responder_id as id, 'last' as list, last_position.position,
           last_position.accuracy_m, last_position.at,
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
select id, metres, list, ST_X(seen.position::geometry), ST_Y(seen.position::geometry),
       cast(seen.accuracy_m as float8), seen.at
from (
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
left join last_position as seen on seen.responder_id = placed.id
""")


async def _stored(conn: AsyncConnection, question: Question, size: _Size) -> _Ring:
    values = {
        "lon": question.origin.lon, "lat": question.origin.lat, "path": question.org_path,
        "within_m": _within_m(question, size), "skill": question.skill, "most": size.most,
    }  # fmt: skip
    beyond_m, fixes = _edge_m(question, size), dict[UUID, store.Fix | None]()
    count, farthest_m = Counter[str](), dict[str, float]()
    [rows] = await db.together(conn, (_STORED, values))
    for row in rows:
        fixes[row["id"]] = eligibility.stored(row)
        count[row["list"]] += 1
        farthest_m[row["list"]] = max(row["metres"], farthest_m.get(row["list"], 0.0))
    cut_off = [farthest_m[name] for name, people in count.items() if people >= size.most]
    return _Ring(fixes, min([beyond_m, *cut_off]))


def _within_m(question: Question, size: _Size) -> float:
    return min(_reach_m(question), math.inf if size.is_last else size.within_m)


def _edge_m(question: Question, size: _Size) -> float:
    """Say where a ring ends that leaves out somebody who is in reach."""
    within_m = _within_m(question, size)
    return within_m if within_m < _reach_m(question) else math.inf


def _reach_m(question: Question) -> float:
    return question.within_s * question.speed_mps + LAG_M


# ---- the order


def _ranked(
    network: walking.WalkingNetwork,
    question: Question,
    people: Sequence[eligibility.Person],
    live: Mapping[UUID, store.Fix],
    policy: matching.Policy,
) -> list[Near]:
    placed = [
        (person, person.position)
        for person in people
        if person.position is not None and _is_wanted(person, question)
    ]
    travels = _travels(network, question, [place for _, place in placed])
    found = [
        _near(person, place, travel, question=question, live=live.get(person.id), policy=policy)
        for (person, place), travel in zip(placed, travels, strict=True)
        if travel is not None
    ]
    return sorted(found, key=lambda near: near.rank)


def _travels(
    network: walking.WalkingNetwork, question: Question, places: Sequence[position.Position]
) -> list[walking.Travel | None]:
    return network.times(
        question.origin, places, within_s=question.within_s, speed_mps=question.speed_mps,
        inbound=True,
    )  # fmt: skip


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
        doubt_s = _doubt_s(PLACE_ACCURACY_M, 0.0, question)
        return Near(person, place, Source.PLACE, None, PLACE_ACCURACY_M, travel, doubt_s)
    age_s = _age_s(person.position_at, question)
    is_live = live is not None and live.at == person.position_at and age_s <= policy.live_for_s
    doubt_s = _doubt_s(person.accuracy_m, age_s, question)
    source = Source.LIVE if is_live else Source.LAST_KNOWN
    return Near(person, place, source, age_s, person.accuracy_m, travel, doubt_s)


def _age_s(at: datetime, question: Question) -> float:
    return max(0.0, (question.at - at).total_seconds())


def _doubt_s(accuracy_m: float | None, age_s: float, question: Question) -> float:
    """Turn doubt about a position into seconds of way: vague, and old, costs."""
    vague_m = max(0.0, (accuracy_m or 0.0) - FINE_M)
    return (vague_m + DRIFT_MPS * max(0.0, age_s - FRESH_S)) / question.speed_mps
