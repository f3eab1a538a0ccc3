"""Reads the AED registry into memory: all of it once, then only what changed since.

A trigger notes for each device which transaction changed it last (`aed_change`). All transactions
below a snapshot's `xmin` were over when it was taken; so whoever reads from there on, and leaves
out what the former snapshot showed, misses nothing, however late a long transaction commits.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where the registry was read: all transactions below `settled` are in it.

    `snapshot` says, in PostgreSQL's words, which of the others are.
    """

    settled: int
    snapshot: str


@dataclass(frozen=True, slots=True)
class News:
    """What changed since a mark; `None` in place of a row: withdrawn or deleted."""

    mark: Mark
    rows: dict[UUID, Row[Any] | None]


_HORIZON = text("""
select pg_snapshot_xmin(s)::text::bigint as settled, pg_snapshot_xmax(s)::text::bigint as next,
       s::text as snapshot
from pg_current_snapshot() as s
""")

_ALL = text("""
select id, name, is_invented, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat,
       status, access, hours, hours_note, time_zone, suspect_since, taken_at,
       closed_from, closed_until, pads_expire_on, battery_expires_on, verified_at,
       check_every_days, carrier, moved_at
from aed where status <> 'withdrawn' and (cast(:after as uuid) is null or id > :after)
order by id limit :chunk
""")


async def begin(conn: AsyncConnection) -> Mark:
    """Say from where to go on after `everything`, read in the same snapshot."""
    horizon = (await conn.execute(_HORIZON)).one()
    return Mark(horizon.settled, horizon.snapshot)


async def everything(conn: AsyncConnection) -> AsyncIterator[list[Row[Any]]]:
    """Give all devices but the withdrawn, in pieces, so that others get their turn between."""
    after: UUID | None = None
    while True:
        # No cursor of the server: one that is left in the middle, at a stop, would complain.
        rows = (await conn.execute(_ALL, {"after": after, "chunk": _CHUNK})).all()
        if rows:
            after = rows[-1].id
            yield list(rows)
        if len(rows) < _CHUNK:
            return


# Served by ix_aed_change_xid. Numbers from `next` on are of another life of the database, before
# it was restored from a backup: those rows were read with everything.
_CHANGED = text("""
select change.aed_id, change.xid, aed.id is not null and status <> 'withdrawn' as is_listed,
       name, is_invented, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat,
       status, access, hours, hours_note, time_zone, suspect_since, taken_at,
       closed_from, closed_until, pads_expire_on, battery_expires_on, verified_at,
       check_every_days, carrier, moved_at, aed.id
from aed_change as change left join aed on aed.id = change.aed_id
where xid >= :since and xid < :next
  and not pg_visible_in_snapshot(xid::text::xid8, cast(:former as pg_snapshot))
limit :most
""")


class TooMuch(Exception):
    """So much is new, or the database is so different, that everything has to be read."""


async def news(conn: AsyncConnection, since: Mark, *, most: int) -> News:
    """Read what changed since a mark; `conn` must show one instant. Raises `TooMuch`."""
    horizon = (await conn.execute(_HORIZON)).one()
    if horizon.next < since.settled:
        raise TooMuch
    binds = {"since": since.settled, "former": since.snapshot, "next": horizon.next}
    rows = (await conn.execute(_CHANGED, {**binds, "most": most + 1})).all()
    if len(rows) > most:
        raise TooMuch
    fresh = {row.aed_id: row if row.is_listed else None for row in rows}
    return News(Mark(horizon.settled, horizon.snapshot), fresh)


# Two looks into ix_aed_change_xid. Of the transactions before the oldest that still runs, the last
# one says all; later ones may commit in any order, so each of them counts. Who has changed
# something in this very transaction gets another name each time.
_MARK = text("""
with horizon as (
  select pg_snapshot_xmin(s)::text::bigint as settled, pg_snapshot_xmax(s)::text::bigint as next
  from pg_current_snapshot() as s
)
select coalesce((select max(xid) from aed_change where xid < (select settled from horizon)), 0)
  || '.' || coalesce((
    select string_agg(distinct xid::text, ',') from aed_change
    where xid >= (select settled from horizon) and xid < (select next from horizon)), '')
  || case when pg_current_xact_id_if_assigned() is null then '' else
     '.' || clock_timestamp()::text end
""")


async def registry_mark(conn: AsyncConnection) -> str:
    """Name the state of the whole registry: another name after every change."""
    return str((await conn.execute(_MARK)).scalar_one())
