"""Where people are now: in Redis, with a time to live, so that nothing may depend on it.

Every call is bounded and swallows the failures of Redis; the last known position that decisions use
is in PostgreSQL, written less often by dispatch.

Two keys hold the positions of one span of time, a hash by person and a set for search by place;
they go as a whole when the span is over, so that Redis forgets by itself and no key is left behind.
Somebody who keeps moving stands in the present span and the one before; the newer position counts.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from redis.asyncio import Redis

from realtime import away, bus, deadline

#: Redis channel of live positions. May be lost.
POSITIONS_CHANNEL = "golden:positions"

_LATEST = "golden:latest:"
_PLACES = "golden:places:"

#: A position is forgotten after this time, at the latest after twice of it; by then it says
#: nothing about where somebody is.
KEEP_S = 600
#: Redis searches no nearer to the poles than this (Web Mercator's limit); whoever is there is
#: found by the stored position.
SEARCHABLE_LAT = 85.05
#: Somebody is searched for within so many metres of the true place.
STILL_M = 20.0
#: Sightings in one message; a console's process reads each as a whole.
PUBLISH_MOST = 100

REDIS_WITHIN_S = 0.3
PAUSE_S = 2.0

#: What became of a client's calls that write, and of those that read: a question that waited
#: too long must not keep positions back.
calls = deadline.Breakers(PAUSE_S)
reads = deadline.Breakers(PAUSE_S)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person was at a time, WGS-84."""

    person_id: str
    lon: float
    lat: float
    accuracy_m: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A position on its way to the consoles of some topics; `item` is JSON, written once."""

    topics: tuple[str, ...]
    person_id: str
    item: orjson.Fragment


@dataclass(frozen=True, slots=True)
class Around:
    """Who is near a point. Whoever is not named is `beyond_m` away at least, or not in Redis."""

    places: Mapping[str, Place]
    beyond_m: float
    #: False while Redis is away: then nobody is named.
    is_known: bool


_NOBODY = Around({}, math.inf, is_known=False)


async def put(redis: Redis, place: Place, *, topics: Sequence[str], now: datetime) -> bool:
    """Keep a person's latest position and show it to the topics; False if Redis failed."""
    return await put_many(redis, [place], topics={place.person_id: topics}, now=now)


async def put_many(
    redis: Redis,
    places: Sequence[Place],
    *,
    topics: Mapping[str, Sequence[str]],
    still: Collection[str] = (),
    now: datetime,
) -> bool:
    """Keep the latest position of many and show each to its topics; False if Redis failed.

    Those who stand `still` were put in this span within `STILL_M` of where they are now: they are
    found there.
    """
    if not calls.of(redis).lets_through():
        return False
    number = span(now)
    latest: list[bytes] = []
    points: list[bytes] = []
    for place in places:
        name = place.person_id.encode()
        latest += (name, _packed(place))
        if place.person_id not in still and abs(place.lat) <= SEARCHABLE_LAT:
            points += (b"%.7f" % place.lon, b"%.7f" % place.lat, name)
    shown = [
        _sighting(place, topics[place.person_id]) for place in places if topics.get(place.person_id)
    ]
    try:
        async with asyncio.timeout(REDIS_WITHIN_S), redis.pipeline(transaction=False) as pipe:
            for key, command, values in (
                (_key(redis, _LATEST, number), "HSET", latest),
                (_key(redis, _PLACES, number), "GEOADD", points),
            ):
                if values:
                    pipe.execute_command(command, key, *values)
                    pipe.expire(key, KEEP_S)
            shard = _shard(redis, number)
            for start in range(0, len(shown), PUBLISH_MOST):
                data = orjson.dumps(shown[start : start + PUBLISH_MOST])
                pipe.execute_command(*bus.publishing(POSITIONS_CHANNEL, data, shard=shard))
            await pipe.execute()
    except away.REDIS_FAILS:
        calls.of(redis).note(success=False)
        return False
    calls.of(redis).note(success=True)
    return True


async def latest(redis: Redis, person_ids: Sequence[str], *, now: datetime) -> dict[str, Place]:
    """Return the positions that are known; without Redis, none."""
    if not person_ids or not reads.of(redis).lets_through():
        return {}
    try:
        async with asyncio.timeout(REDIS_WITHIN_S):
            found = await _read(redis, person_ids, now)
    except away.REDIS_FAILS:
        reads.of(redis).note(success=False)
        return {}
    reads.of(redis).note(success=True)
    return found


async def near(
    redis: Redis,
    lon: float,
    lat: float,
    *,
    within_m: float,
    most: int,
    also: Sequence[str] = (),
    now: datetime,
) -> Around:
    """Find people around a point, of each span the `most` nearest; nobody without Redis.

    The positions of those named by `also` are read with them, wherever they are.
    """
    if not reads.of(redis).lets_through():
        return _NOBODY
    try:
        async with asyncio.timeout(REDIS_WITHIN_S):
            lists = await _search(redis, lon, lat, within_m=within_m, most=most, now=now)
            found = (_text(person) for people in lists for person, _ in people)
            ids = list(dict.fromkeys((*also, *found)))
            places = await _read(redis, ids, now) if ids else {}
    except away.REDIS_FAILS:
        reads.of(redis).note(success=False)
        return _NOBODY
    reads.of(redis).note(success=True)
    cut_off = [float(people[-1][1]) for people in lists if len(people) >= most]
    beyond_m = min(cut_off, default=math.inf) - STILL_M
    return Around(places, beyond_m, is_known=True)


async def forget(redis: Redis, person_ids: Sequence[str], *, now: datetime) -> bool:
    """Forget where some people are; False if Redis failed, which forgets by itself a little later.

    This goes through whether or not Redis failed a moment ago.
    """
    if not person_ids:
        return True
    try:
        async with asyncio.timeout(REDIS_WITHIN_S), redis.pipeline(transaction=False) as pipe:
            for number in _spans(now):
                pipe.hdel(_key(redis, _LATEST, number), *person_ids)
                pipe.zrem(_key(redis, _PLACES, number), *person_ids)
            await pipe.execute()
    except away.REDIS_FAILS:
        calls.of(redis).note(success=False)
        return False
    return True


async def _search(
    redis: Redis, lon: float, lat: float, *, within_m: float, most: int, now: datetime
) -> list[list[tuple[bytes, bytes]]]:
    if abs(lat) > SEARCHABLE_LAT:
        return []
    async with redis.pipeline(transaction=False) as pipe:
        for number in _spans(now):
            pipe.execute_command(
                "GEOSEARCH", _key(redis, _PLACES, number), "FROMLONLAT", lon, lat,
                "BYRADIUS", within_m + STILL_M, "m", "ASC", "COUNT", most, "WITHDIST",
            )  # fmt: skip
        lists: list[list[tuple[bytes, bytes]]] = await pipe.execute()
    return lists


def span(now: datetime) -> int:
    """Number the span of time that an instant belongs to."""
    return int(now.timestamp()) // KEEP_S


def _spans(now: datetime) -> tuple[int, int]:
    return span(now), span(now) - 1


def _shard(redis: Redis, number: int) -> str:
    """Choose where a span lies: as a whole on one node of a cluster, the next on the next."""
    among = bus.shards(redis)
    return among[number % len(among)]


def _key(redis: Redis, name: str, number: int) -> str:
    return bus.name_in(_shard(redis, number), f"{name}{number}")


async def _read(redis: Redis, person_ids: Sequence[str], now: datetime) -> dict[str, Place]:
    oldest = now.timestamp() - KEEP_S
    found: dict[str, Place] = {}
    for number in _spans(now):  # the present one first; mostly it has everybody
        missing = [person_id for person_id in person_ids if person_id not in found]
        key = _key(redis, _LATEST, number)
        values = await redis.hmget(key, missing) if missing else []
        for person_id, value in zip(missing, values, strict=True):
            if value is not None:
                place = _place(person_id, value)
                if place.at.timestamp() >= oldest:
                    found[person_id] = place
    return found


def _packed(place: Place) -> bytes:
    at_ms = round(place.at.timestamp() * 1000)
    return orjson.dumps((place.lon, place.lat, place.accuracy_m, at_ms))


def _place(person_id: str, value: bytes | str) -> Place:
    lon, lat, accuracy_m, at_ms = orjson.loads(value)
    return Place(person_id, lon, lat, accuracy_m, datetime.fromtimestamp(at_ms / 1000, UTC))


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _sighting(place: Place, topics: Iterable[str]) -> dict[str, object]:
    item = orjson.dumps(
        {
            "responder": place.person_id,
            "position": {"type": "Point", "coordinates": [place.lon, place.lat]},
            "accuracy_m": place.accuracy_m,
            "at": place.at,
        },
        option=orjson.OPT_UTC_Z,
    )
    return {"topics": list(topics), "person": place.person_id, "item": orjson.Fragment(item)}


def read_sightings(text: str) -> list[Sighting]:
    """Read what `put_many` published; what is something else is left out."""
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    found = []
    for sighting in items if isinstance(items, list) else ():
        match sighting:
            case {"topics": list(topics), "person": str(person), "item": dict(item)}:
                fragment = orjson.Fragment(orjson.dumps(item))
                found.append(Sighting(tuple(topics), person, fragment))
    return found
