"""Whose phone is connected now: in Redis, said again every few seconds; nothing may depend on it.

Without Redis nobody counts as connected; then every channel is tried at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from redis.asyncio import Redis

from realtime import away, deadline

_KEY = "golden:connected"
#: Each process says this often whose phones it holds, and this long it is believed.
SAY_EVERY_S = 5.0
BELIEVED_S = 12.0
#: People in one command; the event loop packs them without a pause.
_AT_ONCE = 500
_WITHIN_S = 0.5

#: What became of a client's calls.
calls = deadline.Breakers(2.0)


async def say(redis: Redis, person_ids: Sequence[str], *, now: datetime) -> bool:
    """Say that these people's phones are connected; False if Redis failed."""
    if not calls.of(redis).lets_through():
        return False
    at = now.timestamp()
    try:
        async with asyncio.timeout(_WITHIN_S):
            for start in range(0, len(person_ids), _AT_ONCE):
                part = person_ids[start : start + _AT_ONCE]
                await redis.zadd(_KEY, dict.fromkeys(part, at))
            await redis.zremrangebyscore(_KEY, "-inf", at - BELIEVED_S)
    except away.REDIS_FAILS:
        calls.of(redis).note(success=False)
        return False
    calls.of(redis).note(success=True)
    return True


async def find(redis: Redis, person_ids: Sequence[str], *, now: datetime) -> set[str]:
    """Return those whose phone is connected; without Redis nobody."""
    if not person_ids or not calls.of(redis).lets_through():
        return set()
    oldest = now.timestamp() - BELIEVED_S
    try:
        async with asyncio.timeout(_WITHIN_S):
            scores = await redis.zmscore(_KEY, list(person_ids))
    except away.REDIS_FAILS:
        calls.of(redis).note(success=False)
        return set()
    calls.of(redis).note(success=True)
    pairs = zip(person_ids, scores, strict=True)
    return {person for person, score in pairs if score is not None and score >= oldest}
