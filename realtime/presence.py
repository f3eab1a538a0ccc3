"""Where people are now: in Redis, with a time to live, so that nothing may depend on it.

Every call is bounded and swallows the failures of Redis; the last known position that decisions use
is in PostgreSQL, written less often by dispatch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from realtime import deadline

#: Redis channel of live positions. May be lost.
POSITIONS_CHANNEL = "golden:positions"

_KEY = "golden:position:"

#: A position is forgotten after this time; by then it says nothing about where somebody is.
KEEP_S = 600

REDIS_WITHIN_S = 0.5
PAUSE_S = 2.0

#: What became of this process's calls; read for the metrics.
calls = deadline.Breaker(PAUSE_S)


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


async def put(redis: Redis, place: Place, *, topics: Sequence[str]) -> bool:
    """Keep a person's latest position and show it to the topics; False if Redis failed."""
    if not calls.lets_through():
        return False
    item = orjson.dumps(
        {
            "responder": place.person_id,
            "position": {"type": "Point", "coordinates": [place.lon, place.lat]},
            "accuracy_m": place.accuracy_m,
            "at": place.at,
        },
        option=orjson.OPT_UTC_Z,
    )
    sighting = {"topics": topics, "person": place.person_id, "item": orjson.Fragment(item)}
    try:
        async with asyncio.timeout(REDIS_WITHIN_S), redis.pipeline(transaction=False) as pipe:
            pipe.set(_KEY + place.person_id, orjson.dumps(place), ex=KEEP_S)
            if topics:
                pipe.publish(POSITIONS_CHANNEL, orjson.dumps(sighting))
            await pipe.execute()
    except (OSError, RedisError):  # TimeoutError is an OSError
        calls.note(success=False)
        return False
    calls.note(success=True)
    return True


async def latest(redis: Redis, person_ids: Sequence[str]) -> dict[str, Place]:
    """Return the positions that are known; without Redis, none."""
    if not person_ids or not calls.lets_through():
        return {}
    try:
        async with asyncio.timeout(REDIS_WITHIN_S):
            found = await redis.mget([_KEY + person_id for person_id in person_ids])
    except (OSError, RedisError):
        calls.note(success=False)
        return {}
    calls.note(success=True)
    places = [_place(text) for text in found if text is not None]
    return {place.person_id: place for place in places}


def _place(text: bytes | str) -> Place:
    values = orjson.loads(text)
    return Place(**{**values, "at": datetime.fromisoformat(values["at"])})


def read_sighting(text: str) -> Sighting | None:
    """Read what `put` published; None if it is something else."""
    try:
        match orjson.loads(text):
            case {"topics": list(topics), "person": str(person), "item": dict(item)}:
                return Sighting(tuple(topics), person, orjson.Fragment(orjson.dumps(item)))
    except orjson.JSONDecodeError:
        pass
    return None
