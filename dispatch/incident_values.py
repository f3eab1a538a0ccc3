"""What each source said of an incident, side by side; one of them is taken as true, on record.

A place from a phone never silently overwrites what the caller said: both stand, and an operator
chooses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, incidents, store, tables, telling
from geo.position import Position


class Field(StrEnum):
    """What sources may differ in."""

    ADDRESS = "address"
    FLOOR = "floor"
    ENTRANCE = "entrance"
    CALLER_PHONE = "caller_phone"
    PATIENTS = "patients"
    POSITION = "position"


class Source(StrEnum):
    """Who said it."""

    CALLER = "caller"
    OPERATOR = "operator"
    RESPONDER = "responder"
    AMBULANCE = "ambulance"
    DEVICE = "device"


Said = str | int | Position


@dataclass(frozen=True, slots=True)
class Value:
    """What one source said of one field."""

    id: UUID
    incident_id: UUID
    field: str
    value: Any
    source: str
    told_by_id: UUID | None
    actor_id: UUID | None
    at: datetime
    chosen_at: datetime | None
    chosen_by: UUID | None
    withdrawn_at: datetime | None

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Value:
        """Read a row of the table."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    @property
    def said(self) -> Said:
        """Give the value as the incident carries it."""
        if self.field == Field.POSITION:
            return Position(*self.value["coordinates"])
        return cast("str | int", self.value)


def out(value: Value) -> events.Body:
    """Show what a source said."""
    return {
        "id": str(value.id),
        "field": value.field,
        "value": value.value,
        "source": value.source,
        "told_by": events.ident(value.told_by_id),
        "actor": events.ident(value.actor_id),
        "at": events.time(value.at),
        "is_chosen": value.chosen_at is not None,
        "chosen_at": events.time(value.chosen_at),
        "chosen_by": events.ident(value.chosen_by),
        "withdrawn_at": events.time(value.withdrawn_at),
    }


async def list_values(conn: AsyncConnection, incident_id: UUID) -> list[Value]:
    """Return all that was said of an incident, the oldest first."""
    value = tables.incident_value
    rows = await conn.execute(
        sa.select(value).where(value.c.incident_id == incident_id).order_by(value.c.id)
    )
    return [Value.from_row(row) for row in rows.mappings()]


async def add(
    conn: AsyncConnection,
    incident_id: UUID,
    field: Field,
    said: Said,
    source: Source,
    *,
    by: UUID,
    now: datetime,
) -> Value:
    """Note what a source said beside what was said before; nothing is overwritten.

    The first time that somebody differs, what the incident carried so far is kept as a value too,
    chosen. Raises IncidentClosed, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id)
    await _keep_present(conn, incident, [field])
    value = await _insert(conn, incident, field, said, source, by=by, at=now)
    args = {"field": field.value, "source": source.value, "value": value.value}
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.CONSOLE, kind=events.LineKind.VALUE_TOLD,
        args=_shareable(field, args), by=by, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return value


async def _keep_present(
    conn: AsyncConnection, incident: store.Incident, wanted: Collection[Field]
) -> None:
    """Keep what the incident carries as a value too, chosen, for fields that have none yet."""
    known = {value.field for value in await list_values(conn, incident.id)}
    for field in wanted:
        present = getattr(incident, field)
        if field not in known and present is not None:
            await _insert(
                conn, incident, field, present, Source.CALLER, by=incident.opened_by,
                at=incident.created_at, chosen_at=incident.created_at,
                chosen_by=incident.opened_by,
            )  # fmt: skip


async def choose(
    conn: AsyncConnection, incident_id: UUID, value_id: UUID, *, by: UUID, now: datetime
) -> Value:
    """Take one value as true: the incident carries it from now on; choosing twice is harmless.

    Raises IncidentClosed, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id)
    known = {v.id: v for v in await list_values(conn, incident_id)}
    wanted = known.get(value_id)
    if wanted is None or wanted.withdrawn_at is not None:
        raise errors.NotFound
    # One that was chosen may have been corrected over since then.
    if wanted.chosen_at is not None and getattr(incident, wanted.field) == wanted.said:
        return wanted
    table = tables.incident_value
    of_field = sa.and_(table.c.incident_id == incident_id, table.c.field == wanted.field)
    await conn.execute(sa.update(table).where(of_field).values(chosen_at=None, chosen_by=None))
    await conn.execute(
        sa.update(table).where(table.c.id == value_id).values(chosen_at=now, chosen_by=by)
    )
    args = {"field": wanted.field, "source": wanted.source, "value": wanted.value}
    await incidents.edit(
        conn, incident_id, cast("incidents.Correction", {wanted.field: wanted.said}),
        version=incident.version, chosen=_shareable(Field(wanted.field), args), by=by, now=now,
    )  # fmt: skip
    return next(v for v in await list_values(conn, incident_id) if v.id == value_id)


def _shareable(field: Field, args: dict[str, Any]) -> dict[str, Any]:
    """Leave a phone number out of the timeline, which more people read than may call back."""
    if field is Field.CALLER_PHONE:
        return {name: value for name, value in args.items() if name != "value"}
    return args


async def adopt(
    conn: AsyncConnection, incident: store.Incident, told_by: store.Incident, *, now: datetime
) -> None:
    """Note what another call about the same emergency said, where it differs."""
    said = {field: getattr(told_by, field) for field in Field}
    differs = [f for f, value in said.items() if value not in (None, getattr(incident, f))]
    await _keep_present(conn, incident, differs)
    for field in differs:
        await _insert(
            conn, incident, field, said[field], Source.CALLER, by=told_by.opened_by, at=now,
            told_by_id=told_by.id,
        )  # fmt: skip


async def withdraw(
    conn: AsyncConnection, incident_id: UUID, told_by: UUID, *, now: datetime
) -> None:
    """Mark what another call said as no longer about this incident; what was chosen stays."""
    value = tables.incident_value
    await conn.execute(
        sa.update(value)
        .where(
            value.c.incident_id == incident_id, value.c.told_by_id == told_by,
            value.c.chosen_at.is_(None), value.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )  # fmt: skip


async def _insert(
    conn: AsyncConnection,
    incident: store.Incident,
    field: Field,
    said: Said,
    source: Source,
    *,
    by: UUID | None,
    at: datetime,
    **more: Any,
) -> Value:
    value = events.point(said) if isinstance(said, Position) else said
    rows = await conn.execute(
        sa.insert(tables.incident_value)
        .values(
            id=store.new_id(), incident_id=incident.id, field=field.value, value=value,
            source=source.value, actor_id=by, at=at, **more,
        )
        .returning(tables.incident_value)
    )  # fmt: skip
    return Value.from_row(rows.mappings().one())
