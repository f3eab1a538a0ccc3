"""How surely somebody who fetches an AED brings one that works."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds, usability

#: Confirmed open, by the age of the last look (science note 9.1).
_FRESH, _FRESH_FOR = 0.95, timedelta(days=90)
_AGEING, _AGEING_FOR = 0.85, timedelta(days=365)
_OLD = 0.7
#: Nobody knows the hours: by day and by night.
_UNKNOWN_BY_DAY, _UNKNOWN_BY_NIGHT = 0.6, 0.3
_DAY = range(8, 20)
#: So many fetches weigh as much as what is thought beforehand.
_WEIGHT = 4.0
LOOK_BACK = timedelta(days=365)

#: Nobody wrote down when it is open, but nothing else speaks against it.
HOURS_UNKNOWN = frozenset({usability.Reason.HOURS_MISSING, usability.Reason.HOURS_UNREADABLE})


@dataclass(frozen=True, slots=True)
class Fetches:
    """How often it was fetched, and how often somebody who came did not get it."""

    got: int = 0
    failed: int = 0


# ix_aed_use_aed_id and ix_aed_report_aed_id_at.
_FETCHES = sa.text("""
select aed_id, sum(got) as got, sum(failed) as failed from (
    select aed_id, 1 as got, 0 as failed from aed_use
    where aed_id = any(cast(:ids as uuid[])) and assignment_id is not null and taken_at > :since
    union all
    select aed_id, 0, 1 from aed_report
    where aed_id = any(cast(:ids as uuid[])) and at > :since and actor_id is not null
      and verdict <> 'rejected' and kind in ('missing', 'locked', 'broken', 'closed')
) as fetched
group by aed_id
""")


async def fetches(
    conn: AsyncConnection, aed_ids: Collection[UUID], *, now: datetime
) -> Mapping[UUID, Fetches]:
    """Count what became of fetching these devices within a year."""
    rows = await conn.execute(_FETCHES, {"ids": list(aed_ids), "since": now - LOOK_BACK})
    return {row.aed_id: Fetches(int(row.got), int(row.failed)) for row in rows}


def works(
    aed: aeds.Aed, usable: usability.Usability, known: Fetches | None, *, now: datetime
) -> float:
    """Return the probability that it can be had and works, for who comes to it soon."""
    found = known or Fetches()
    expected = _beforehand(aed, usable, now) * _WEIGHT
    return (expected + found.got) / (_WEIGHT + found.got + found.failed)


def _beforehand(aed: aeds.Aed, usable: usability.Usability, now: datetime) -> float:
    if usable.state is not usability.Usable.YES:
        is_day = now.astimezone(ZoneInfo(aed.time_zone)).hour in _DAY
        return _UNKNOWN_BY_DAY if is_day else _UNKNOWN_BY_NIGHT
    age = None if aed.verified_at is None else now - aed.verified_at
    if age is None or age > _AGEING_FOR:
        return _OLD
    return _FRESH if age <= _FRESH_FOR else _AGEING
