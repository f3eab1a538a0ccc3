"""A disaster: many incidents under one command; its totals are the sums of its incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, store, tables, telling
from realtime import log


@dataclass(frozen=True, slots=True)
class Disaster:
    """One disaster, with its organisation."""

    id: UUID
    org_id: UUID
    org_code: str
    org_path: str
    name: str
    kind: str
    note: str | None
    exercise: bool
    # Posts and who holds them: {"post", "name", "phone"}.
    command: Sequence[Mapping[str, str | None]]
    opened_by: UUID | None
    opened_at: datetime
    closed_at: datetime | None
    version: int

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Disaster:
        """Read a row of `_DISASTER`."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


_DISASTER = sa.select(
    tables.disaster, tables.org.c.code.label("org_code"), tables.org.c.path.label("org_path")
).join_from(tables.disaster, tables.org)


def out(disaster: Disaster) -> events.Body:
    """Show a disaster to an operator."""
    return {
        "id": str(disaster.id),
        "org": disaster.org_code,
        "name": disaster.name,
        "kind": disaster.kind,
        "note": disaster.note,
        "exercise": disaster.exercise,
        "command": [dict(post) for post in disaster.command],
        "opened_by": events.ident(disaster.opened_by),
        "opened_at": events.time(disaster.opened_at),
        "closed_at": events.time(disaster.closed_at),
        "version": disaster.version,
    }


async def list_disasters(
    conn: AsyncConnection, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Disaster]:
    """Return disasters, the newest first."""
    rows = await conn.execute(
        _DISASTER.where(*conditions).order_by(tables.disaster.c.id.desc()).limit(limit)
    )
    return [Disaster.from_row(row) for row in rows.mappings()]


async def get(conn: AsyncConnection, disaster_id: UUID) -> Disaster:
    """Return a disaster. Raises NotFound."""
    found = await list_disasters(conn, tables.disaster.c.id == disaster_id)
    if not found:
        raise errors.NotFound
    return found[0]


async def open_(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    name: str,
    kind: str,
    note: str | None,
    exercise: bool,
    command: Sequence[Mapping[str, str | None]],
    by: UUID,
    now: datetime,
) -> Disaster:
    """Open a disaster of an organisation."""
    disaster_id = store.new_id()
    await conn.execute(
        sa.insert(tables.disaster).values(
            id=disaster_id, org_id=org_id, name=name, kind=kind, note=note, exercise=exercise,
            command=[dict(post) for post in command], opened_by=by, opened_at=now,
        )
    )  # fmt: skip
    return await _tell(conn, disaster_id, now=now)


async def edit(
    conn: AsyncConnection,
    disaster_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: int,
    now: datetime,
) -> Disaster:
    """Correct name, kind, note or command. Raises StaleVersion, NotFound."""
    disaster = await _lock(conn, disaster_id)
    if disaster.version != version:
        raise errors.StaleVersion(state={"version": disaster.version})
    return await _change(conn, disaster, changes, now=now)


async def close(conn: AsyncConnection, disaster_id: UUID, *, now: datetime) -> Disaster:
    """End a disaster; its incidents go on by themselves. Closing twice changes nothing."""
    disaster = await _lock(conn, disaster_id)
    if disaster.closed_at is not None:
        return disaster
    return await _change(conn, disaster, {"closed_at": now}, now=now)


async def place(
    conn: AsyncConnection,
    incident_id: UUID,
    disaster_id: UUID | None,
    *,
    by: UUID,
    now: datetime,
) -> store.Incident:
    """Put an incident under a disaster, or with None take it out of its own.

    Raises Malformed for an exercise under a real one or the other way round, Conflict when the
    disaster is closed, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if incident.disaster_id == disaster_id:
        return incident
    disaster = None if disaster_id is None else await _lock(conn, disaster_id)
    if disaster is not None and disaster.exercise != incident.exercise:
        raise errors.Malformed("an exercise belongs under an exercise only")
    if disaster is not None and disaster.closed_at is not None:
        raise errors.Conflict("the disaster is closed", state={"disaster": str(disaster.id)})
    incident = await store.change_incident(conn, incident.id, disaster_id=disaster_id)
    args = {"disaster": None if disaster is None else disaster.name}
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.CONSOLE, kind=events.LineKind.DISASTER,
        args=args, by=by, now=now,
    )  # fmt: skip
    await telling.tell(conn, events.Kind.INCIDENT_EDITED, incident, lines=[line], now=now)
    return incident


# Served by ix_incident_disaster_id and the indexes by incident. A responder is under way for one
# incident at a time, so sums over incidents count nobody twice.
_TOTALS = sa.text("""
select incident.id, incident.status, incident.severity, coalesce(incident.patients, 0) as patients,
       (select count(*) from alert where alert.incident_id = incident.id) as alerted,
       (select count(*) from assignment where assignment.incident_id = incident.id) as accepted,
       (select count(*) from assignment where assignment.incident_id = incident.id
        and assignment.ended_at is null) as going
from incident where disaster_id = :id
""")


async def totals(conn: AsyncConnection, disaster_id: UUID) -> events.Body:
    """Sum the incidents of a disaster: how many by status and severity, people and patients."""
    rows = (await conn.execute(_TOTALS, {"id": disaster_id})).mappings().all()
    return {
        "incidents": len(rows),
        "by_status": _tally(row["status"] for row in rows),
        "by_severity": _tally(str(row["severity"]) for row in rows),
        **{
            name: sum(row[name] for row in rows)
            for name in ("patients", "alerted", "accepted", "going")
        },
    }


def _tally(words: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return dict(sorted(counts.items()))


async def _lock(conn: AsyncConnection, disaster_id: UUID) -> Disaster:
    rows = await conn.execute(
        _DISASTER.where(tables.disaster.c.id == disaster_id).with_for_update(
            key_share=True, of=tables.disaster
        )
    )
    row = rows.mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Disaster.from_row(row)


async def _change(
    conn: AsyncConnection, disaster: Disaster, changes: Mapping[str, Any], *, now: datetime
) -> Disaster:
    table = tables.disaster
    await conn.execute(
        sa.update(table)
        .where(table.c.id == disaster.id)
        .values(**changes, version=table.c.version + 1)
    )
    return await _tell(conn, disaster.id, now=now)


async def _tell(conn: AsyncConnection, disaster_id: UUID, *, now: datetime) -> Disaster:
    disaster = await get(conn, disaster_id)
    item = log.Item(
        telling.org_topic(disaster.org_code),
        events.Kind.DISASTER_CHANGED,
        {"disaster": out(disaster)},
    )
    await log.append_many(conn, [item], at=now)
    return disaster
