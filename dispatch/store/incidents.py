"""Rows of incidents, waves and timeline lines to frozen values and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, states, tables
from dispatch.store import reading
from dispatch.store.ids import new_id
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Incident:
    """One emergency at one place, with its organisation's few facts and its counts."""

    id: UUID
    org_id: UUID
    org_code: str
    org_path: str
    org_phone: str | None
    number: str
    kind: states.Kind
    severity: int
    status: states.Incident
    disposition: states.Disposition | None
    exercise: bool
    drill_speed: float
    position: Position
    address: str | None
    floor: str | None
    entrance: str | None
    note: str | None
    caller_phone: str | None
    patients: int | None
    disaster_id: UUID | None
    merged_into: UUID | None
    # The responder who practises with it; nobody else sees it.
    practice_of: UUID | None
    ambulance: states.Ambulance
    ambulance_eta_at: datetime | None
    ambulance_changed_at: datetime | None
    opened_by: UUID | None
    created_at: datetime
    first_alert_at: datetime | None
    first_accept_at: datetime | None
    first_on_scene_at: datetime | None
    with_patient_at: datetime | None
    handed_over_at: datetime | None
    closed_at: datetime | None
    stood_down_at: datetime | None
    # The last time; whoever was asked before may be asked again.
    reopened_at: datetime | None
    version: int
    # How many were asked, have accepted, are still bound by it, and are at the scene now.
    alerted: int
    accepted: int
    going: int
    on_scene: int

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Incident:
        """Read a row of `_INCIDENT`."""
        disposition = row["disposition"]
        typed: dict[str, Any] = {
            "kind": states.Kind(row["kind"]),
            "status": states.Incident(row["status"]),
            "disposition": None if disposition is None else states.Disposition(disposition),
            "ambulance": states.Ambulance(row["ambulance"]),
            "position": Position.from_wkb(row["position"]),
            "drill_speed": float(row["drill_speed"]),
        }
        return reading.value(cls, row, **typed)


_assignment = tables.assignment.c
_AT_SCENE = [
    states.Assignment.ON_SCENE.value,
    states.Assignment.WITH_PATIENT.value,
    states.Assignment.HANDED_OVER.value,
]


def _count(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    mine = table.c.incident_id == tables.incident.c.id
    return sa.select(sa.func.count()).select_from(table).where(mine, *conditions).scalar_subquery()


# Served by the primary key, or by ix_incident_open and ix_alert_incident_id for a board.
_INCIDENT = sa.select(
    tables.incident,
    tables.org.c.code.label("org_code"),
    tables.org.c.path.label("org_path"),
    tables.org.c.phone.label("org_phone"),
    _count(tables.alert).label("alerted"),
    _count(tables.assignment).label("accepted"),
    _count(tables.assignment, _assignment.ended_at.is_(None)).label("going"),
    _count(
        tables.assignment, _assignment.ended_at.is_(None), _assignment.status.in_(_AT_SCENE)
    ).label("on_scene"),
).join_from(tables.incident, tables.org, tables.org.c.id == tables.incident.c.org_id)


_IS_IT = tables.incident.c.id == sa.bindparam("incident_id", type_=sa.Uuid)
_LOCK = sa.select(tables.incident.c.version).where(_IS_IT).with_for_update(key_share=True)
_ONE = _INCIDENT.where(_IS_IT)


def is_of_now(incident: Incident) -> sa.ColumnElement[bool]:
    """Leave out alerts from before the incident was last opened again: they are history."""
    if incident.reopened_at is None:
        return sa.true()
    return tables.alert.c.notified_at >= incident.reopened_at


async def lock_incident(
    conn: AsyncConnection, incident_id: UUID, *, even_closed: bool = False
) -> Incident:
    """Lock an incident (`FOR NO KEY UPDATE`) and return it as it is now.

    Two statements, because the counts of a statement that had to wait for the lock are those from
    before the wait. Raises NotFound, and IncidentClosed unless `even_closed`.
    """
    await conn.execute(_LOCK, {"incident_id": incident_id})
    found = await get_incident(conn, incident_id)
    if not even_closed:
        states.check_open(found.status)
    return found


async def lock_version(conn: AsyncConnection, incident_id: UUID) -> int:
    """Lock an incident and return its version; every change counts it up. Raises NotFound."""
    version = await conn.scalar(_LOCK, {"incident_id": incident_id})
    if version is None:
        raise errors.NotFound
    return int(version)


async def share_incident(conn: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> Incident:
    """Lock an incident against change (`FOR SHARE`) and return it; its counts may be older.

    Raises NotFound.
    """
    rows = await conn.execute(
        _INCIDENT.where(*conditions).with_for_update(read=True, of=tables.incident)
    )
    row = rows.mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Incident.from_row(row)


async def get_incident(conn: AsyncConnection, incident_id: UUID) -> Incident:
    """Return an incident. Raises NotFound."""
    row = (await conn.execute(_ONE, {"incident_id": incident_id})).mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Incident.from_row(row)


async def list_incidents(
    conn: AsyncConnection, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Incident]:
    """Return incidents, the newest first."""
    rows = await conn.execute(
        _INCIDENT.where(*conditions).order_by(tables.incident.c.id.desc()).limit(limit)
    )
    return [Incident.from_row(row) for row in rows.mappings()]


# One row per organisation and year; the upsert locks it until the commit, so there are no gaps.
_NEXT_NUMBER = sa.text("""
insert into incident_number as mine (org_id, year, last)
select org.id, extract(year from cast(:now as timestamptz) at time zone org.timezone), 1
from org where org.id = :org_id
on conflict (org_id, year) do update set last = mine.last + 1
returning year, last
""")


async def next_number(conn: AsyncConnection, org_id: UUID, *, now: datetime) -> str:
    """Take the organisation's next incident number of its local year, such as 2026-000123.

    Raises NotFound when there is no such organisation.
    """
    row = (await conn.execute(_NEXT_NUMBER, {"org_id": org_id, "now": now})).one_or_none()
    if row is None:
        raise errors.NotFound
    return f"{row.year}-{row.last:06d}"


async def add_incident(conn: AsyncConnection, **values: Any) -> Incident:
    """Insert an incident from its column values and return it."""
    incident_id: UUID = values.setdefault("id", new_id())
    await conn.execute(sa.insert(tables.incident).values(**_bound(values)))
    return await get_incident(conn, incident_id)


# The columns to be written are the names of the other parameters.
_CHANGE = (
    sa.update(tables.incident)
    .where(_IS_IT, tables.org.c.id == tables.incident.c.org_id)
    .values(version=tables.incident.c.version + 1)
    .returning(*_INCIDENT.selected_columns)
)


async def change_incident(conn: AsyncConnection, incident_id: UUID, **values: Any) -> Incident:
    """Write columns of a locked incident, bump its version, and return it as it is now."""
    rows = await conn.execute(_CHANGE, {"incident_id": incident_id, **_bound(values)})
    return Incident.from_row(rows.mappings().one())


def _bound(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.ewkb() if isinstance(value, Position) else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class Wave:
    """One round of asking."""

    id: UUID
    incident_id: UUID
    number: int
    sent_at: datetime
    policy: str
    by_id: UUID | None
    level: int | None

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Wave:
        """Read a row of the table."""
        return reading.value(cls, row)


# Served by the unique numbers of an incident's waves.
_ADD_WAVE = sa.text("""
insert into wave (id, incident_id, number, sent_at, policy, level, by_id)
values (:id, :incident_id,
        (select coalesce(max(number), 0) + 1 from wave where incident_id = :incident_id),
        :sent_at, :policy, :level, :by)
returning *
""")


async def add_wave(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    policy: str,
    level: int | None = None,
    by: UUID | None,
    now: datetime,
) -> Wave:
    """Insert the next wave of a locked incident; `level` where a run card asks for it."""
    values = {
        "id": new_id(), "incident_id": incident_id, "sent_at": now, "policy": policy,
        "level": level, "by": by,
    }  # fmt: skip
    rows = await conn.execute(_ADD_WAVE, values)
    return Wave.from_row(rows.mappings().one())


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
    def from_row(cls, row: sa.RowMapping) -> Line:
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
    values = {
        "id": new_id(), "incident_id": incident_id, "at": now, "device_at": device_at,
        "actor_id": by, "channel": channel, "kind": kind, "args": dict(args), "text": text,
    }  # fmt: skip
    rows = await conn.execute(_ADD_LINE, values)
    return Line.from_row(rows.mappings().one())


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


_ADD_ALLOCATION = sa.insert(tables.allocation)


async def add_allocation(conn: AsyncConnection, **values: Any) -> UUID:
    """Keep the record of one decision and return its id."""
    allocation_id = new_id()
    await conn.execute(_ADD_ALLOCATION, {"id": allocation_id, **values})
    return allocation_id


async def list_allocations(
    conn: AsyncConnection, incident_id: UUID, *, limit: int | None = None
) -> Sequence[sa.RowMapping]:
    """Return the records of an incident's decisions, the latest first."""
    allocation = tables.allocation
    rows = await conn.execute(
        sa.select(allocation)
        .where(allocation.c.incident_id == incident_id)
        .order_by(allocation.c.id.desc())
        .limit(limit)
    )
    return rows.mappings().all()
