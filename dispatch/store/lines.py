"""Rows of the timeline to frozen values and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, tables
from dispatch.store import reading
from dispatch.store.ids import new_id


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of an incident's timeline; struck, never deleted."""

    id: UUID
    seq: int
    incident_id: UUID
    at: datetime
    device_at: datetime | None
    actor_id: UUID | None
    actor_name: str | None
    channel: str
    kind: str
    args: dict[str, object]
    text: str | None
    struck_at: datetime | None
    struck_by: UUID | None

    @classmethod
    def from_row(cls, row: reading.Row) -> Line:
        """Read a row with its actor's name."""
        return reading.value(cls, row)


# A literal, because SQLAlchemy does not correlate a subquery inside RETURNING.
_ACTOR_NAME = sa.literal_column(
    "(select person.name from person where person.id = line.actor_id)", sa.Text
).label("actor_name")


_ADD_LINE = sa.insert(tables.line).returning(tables.line, _ACTOR_NAME)


async def add_line(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    channel: str,
    kind: str,
    args: Mapping[str, object],
    text: str | None = None,
    device_at: datetime | None = None,
    by: UUID | None,
    now: datetime,
) -> Line:
    """Append a line to the timeline of an incident."""
    added = adding_line(
        incident_id, channel=channel, kind=kind, args=args, text=text, device_at=device_at, by=by,
        now=now,
    )  # fmt: skip
    [[row]] = await db.together(conn, added)
    return Line.from_row(row)


def adding_line(
    incident_id: UUID,
    *,
    channel: str,
    kind: str,
    args: Mapping[str, object],
    text: str | None = None,
    device_at: datetime | None = None,
    by: UUID | None,
    now: datetime,
) -> db.Query:
    """Do as `add_line` does; the one row is a `Line`'s."""
    return _ADD_LINE, {
        "id": new_id(), "incident_id": incident_id, "at": now, "device_at": device_at,
        "actor_id": by, "channel": channel, "kind": kind, "args": db.json(args), "text": text,
    }  # fmt: skip


async def add_lines(
    conn: AsyncConnection,
    incident_id: UUID,
    args: Sequence[Mapping[str, object]],
    *,
    channel: str,
    kind: str,
    now: datetime,
) -> list[Line]:
    """Append a line of nobody's for each of these arguments, in one statement."""
    if not args:
        return []
    values = [
        {
            "id": new_id(), "incident_id": incident_id, "at": now, "device_at": None,
            "actor_id": None, "channel": channel, "kind": kind, "args": dict(each), "text": None,
        }
        for each in args
    ]  # fmt: skip
    rows = await conn.execute(_ADD_LINE, values)
    return [Line.from_row(row) for row in rows.mappings()]


async def strike_line(
    conn: AsyncConnection, incident_id: UUID, line_id: UUID, *, by: UUID, now: datetime
) -> Line | None:
    """Mark a line as struck; None when there is none that could be (a trigger allows it once)."""
    line = tables.line.c
    rows = await conn.execute(
        sa.update(tables.line)
        .where(line.id == line_id, line.incident_id == incident_id, line.struck_at.is_(None))
        .values(struck_at=now, struck_by=by)
        .returning(tables.line, _ACTOR_NAME)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else Line.from_row(row)


async def get_line(conn: AsyncConnection, incident_id: UUID, line_id: UUID) -> Line:
    """Return one line of an incident. Raises NotFound."""
    line = tables.line.c
    rows = await conn.execute(
        sa.select(tables.line, _ACTOR_NAME).where(
            line.id == line_id, line.incident_id == incident_id
        )
    )
    row = rows.mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Line.from_row(row)


async def list_lines(conn: AsyncConnection, incident_id: UUID) -> list[Line]:
    """Return the whole timeline in the order it was written."""
    rows = await conn.execute(
        sa.select(tables.line, _ACTOR_NAME)
        .where(tables.line.c.incident_id == incident_id)
        .order_by(tables.line.c.seq)
    )
    return [Line.from_row(row) for row in rows.mappings()]
