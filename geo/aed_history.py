"""What the registry said: as it was at a past time, and what each change of a device changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.aeds import WORLD, Aed, Box
from geo.position import Position
from geo.usability import Status

#: Columns that say nothing of the device: what the system keeps for itself.
_INTERNAL = frozenset(
    {"id", "org_id", "dataset_id", "folded", "version", "created_at", "updated_at",
     "is_in_service", "source_data"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: what `version` has other than the one before, each as (from, to)."""

    version: int
    at: datetime
    reason: str
    actor_id: UUID | None
    changed: Mapping[str, tuple[object, object]]


# The earliest row that was replaced after that time is what was known then, else the present one.
_AS_OF = text("""
select (jsonb_populate_record(null::aed, coalesce(
  (select h.row from aed_history h
   where h.aed_id = aed.id and h.at > :at order by h.version limit 1), to_jsonb(aed)))).*
from aed
where created_at <= :at
  and (cast(:id as uuid) is null or id = :id)
  and (cast(:orgs as uuid[]) is null or org_id = any(:orgs))
  and (cast(:after as uuid) is null or id > :after)
order by id
""")


async def as_of(
    conn: AsyncConnection,
    at: datetime,
    *,
    aed_id: UUID | None = None,
    org_ids: Sequence[UUID] | None = None,
    box: Box = WORLD,
    after: UUID | None = None,
) -> list[Aed]:
    """List the registry, or one device, as it was at a past time, withdrawn ones left out."""
    orgs = None if org_ids is None else list(org_ids)
    binds = {"at": at, "id": aed_id, "orgs": orgs, "after": after}
    found = (Aed.from_row(row) for row in await conn.execute(_AS_OF, binds))
    return [
        aed for aed in found if aed.status is not Status.WITHDRAWN and _is_inside(aed.position, box)
    ]


def _is_inside(place: Position, box: Box) -> bool:
    west, south, east, north = box
    crosses = west > east
    is_between = (place.lon >= west, place.lon <= east)
    return south <= place.lat <= north and (any(is_between) if crosses else all(is_between))


# Each row that was replaced with the one that replaced it; served by uq_aed_history_aed_id.
_CHANGES = text("""
with past as (
  select version, row, actor_id, reason, at from aed_history where aed_id = :id
  union all
  select version, to_jsonb(aed), null, null, null from aed where id = :id
)
select version + 1 as version, at, reason, actor_id, row as before, after
from (select *, lead(row) over (order by version) as after from past) as pairs
where at is not null and version + 1 < :before
order by version desc
limit :limit
""")
_LATEST = 2**31 - 1


async def list_changes(
    conn: AsyncConnection, aed_id: UUID, *, before: int | None = None, limit: int = 100
) -> list[Entry]:
    """List what changed, the latest first; `before` is the version that a page ended with."""
    binds = {"id": aed_id, "before": before or _LATEST, "limit": limit}
    rows = await conn.execute(_CHANGES, binds)
    return [
        Entry(row.version, row.at, row.reason, row.actor_id, _changed(row.before, row.after))
        for row in rows
    ]


def _changed(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[object, object]]:
    names = [name for name in after if name not in _INTERNAL]
    return {
        name: (_plain(name, before.get(name)), _plain(name, after[name]))
        for name in names
        if before.get(name) != after[name]
    }


def _plain(name: str, value: Any) -> object:
    return Position.from_wkb(value).geojson() if name == "position" and value else value
