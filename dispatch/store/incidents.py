"""Rows of incidents, waves and timeline lines to frozen values and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, states, tables
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
    def from_row(cls, row: reading.Row) -> Incident:
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


# The columns to be written are the names of the parameters.
_ADD = sa.insert(tables.incident)
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
    _, rows = await db.together(conn, locking(incident_id), (_ONE, {"incident_id": incident_id}))
    found = _one(rows)
    if not even_closed:
        states.check_open(found.status)
    return found


def locking(incident_id: UUID) -> db.Query:
    """Lock an incident; the one row has its version, which every change counts up."""
    return _LOCK, {"incident_id": incident_id}


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
    [rows] = await db.together(conn, (_ONE, {"incident_id": incident_id}))
    return _one(rows)


def _one(rows: db.Rows) -> Incident:
    if not rows:
        raise errors.NotFound
    return Incident.from_row(rows[0])


async def list_incidents(
    conn: AsyncConnection, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Incident]:
    """Return incidents, the newest first."""
    rows = await conn.execute(
        _INCIDENT.where(*conditions).order_by(tables.incident.c.id.desc()).limit(limit)
    )
    return [Incident.from_row(row) for row in rows.mappings()]


async def add_incident(conn: AsyncConnection, **values: Any) -> Incident:
    """Insert an incident from its column values and return it."""
    values.setdefault("id", new_id())
    _, [row] = await db.together(conn, *adding_incident(**values))
    return Incident.from_row(row)


def adding_incident(**values: Any) -> tuple[db.Query, db.Query]:
    """Do as `add_incident` does, given an `id`; the one row of the second is an `Incident`'s."""
    return (_ADD, _written(values)), (_ONE, {"incident_id": values["id"]})


# The columns to be written are the names of the other parameters.
_CHANGE = (
    sa.update(tables.incident)
    .where(_IS_IT, tables.org.c.id == tables.incident.c.org_id)
    .values(version=tables.incident.c.version + 1)
    .returning(*_INCIDENT.selected_columns)
)


async def change_incident(conn: AsyncConnection, incident_id: UUID, **values: Any) -> Incident:
    """Write columns of a locked incident, bump its version, and return it as it is now."""
    [[row]] = await db.together(conn, changing_incident(incident_id, **values))
    return Incident.from_row(row)


def changing_incident(incident_id: UUID, **values: Any) -> db.Query:
    """Do as `change_incident` does; the one row is an `Incident`'s."""
    return _CHANGE, {"incident_id": incident_id, **_written(values)}


def _written(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.ewkt() if isinstance(value, Position) else value
        for name, value in values.items()
    }
