"""Rows of alerts and assignments to frozen values and back, each with the names that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, states, tables
from dispatch.store import reading
from dispatch.store.incidents import Incident, lock_incident, share_incident
from dispatch.store.ways import CHANNELS, Way
from geo import tables as geo_tables
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Aed:
    """What a responder needs to know of the AED to fetch."""

    id: UUID
    name: str
    position: Position
    address: str | None
    floor: str | None
    access_note: str | None
    usable_until: datetime | None
    cabinet: str
    photos: tuple[UUID, ...]

    @classmethod
    def from_row(cls, row: reading.Row) -> Aed | None:
        """Read the AED columns of a joined row; None where the role is direct."""
        if row["aed_id"] is None or row["aed_name"] is None:
            return None
        return cls(
            id=row["aed_id"],
            name=row["aed_name"],
            position=Position.from_wkb(row["aed_position"]),
            address=row["aed_address"],
            floor=row["aed_floor"],
            access_note=row["aed_access_note"],
            usable_until=row["aed_usable_until"],
            cabinet=row["aed_cabinet"],
            photos=tuple(row["aed_photos"]),
        )


@dataclass(frozen=True, slots=True)
class Alert:
    """One responder asked for one incident."""

    id: UUID
    incident_id: UUID
    wave_id: UUID
    wave: int
    responder_id: UUID
    name: str
    name_en: str | None
    skills: tuple[str, ...]
    is_invented: bool
    team_id: UUID | None
    role: states.Role
    aed: Aed | None
    status: states.Alert
    travel_s: float | None
    direct_s: float | None
    distance_m: float | None
    eta_source: str | None
    from_position: Position | None
    position_at: datetime | None
    notified_at: datetime
    expires_at: datetime
    delivered_at: datetime | None
    shown_at: datetime | None
    seen_at: datetime | None
    answered_at: datetime | None
    decline_reason: str | None
    stood_down_at: datetime | None
    stand_down_reason: str | None
    stand_down_seen_at: datetime | None
    revision: int
    # The live channel first, then in the order of the ladder.
    channels: tuple[Way, ...]

    @property
    def delivery(self) -> str:
        """Say how far the live channel came: queued, delivered or unacknowledged."""
        live = next((way.status for way in self.channels if way.channel == "live"), "queued")
        return live if live in {"queued", "unacknowledged"} else "delivered"

    @property
    def is_live(self) -> bool:
        """Say whether an answer is still awaited."""
        return self.status in states.ALERT_LIVE

    @classmethod
    def from_row(cls, row: reading.Row) -> Alert:
        """Read a row of `ALERT`."""
        position = row["from_position"]
        typed: dict[str, Any] = {
            "role": states.Role(row["role"]),
            "status": states.Alert(row["status"]),
            "skills": tuple(row["skills"]),
            "aed": Aed.from_row(row),
            "travel_s": _float(row["travel_s"]),
            "direct_s": _float(row["direct_s"]),
            "distance_m": _float(row["distance_m"]),
            "from_position": None if position is None else Position.from_wkb(position),
            "channels": tuple(Way.read(item) for item in row["channels"]),
        }
        return reading.value(cls, row, **typed)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


_aed, _photo = geo_tables.aed.c, geo_tables.aed_photo.c
_AED_COLUMNS = (
    _aed.name.label("aed_name"),
    _aed.position.label("aed_position"),
    _aed.address.label("aed_address"),
    _aed.floor.label("aed_floor"),
    sa.func.nullif(
        sa.func.concat_ws(" · ", _aed.entrance, _aed.location_note, _aed.hours_note), ""
    ).label("aed_access_note"),
    _aed.cabinet.label("aed_cabinet"),
    # Served by ix_aed_photo_aed_id; the surroundings first.
    sa.func.array(
        sa.select(_photo.id)
        .where(_photo.aed_id == _aed.id)
        .order_by(_photo.kind.desc(), _photo.at, _photo.id)
        .scalar_subquery()
    ).label("aed_photos"),
)
# Served by the primary key, ix_alert_incident_id or ix_alert_responder_id.
ALERT = (
    sa.select(
        tables.alert,
        tables.wave.c.number.label("wave"),
        *tables.person.c["name", "name_en", "is_invented"],
        tables.responder.c.skills,
        CHANNELS.label("channels"),
        *_AED_COLUMNS,
    )
    .select_from(tables.alert)
    .join(tables.wave, tables.wave.c.id == tables.alert.c.wave_id)
    .join(tables.responder, tables.responder.c.id == tables.alert.c.responder_id)
    .join(tables.person, tables.person.c.id == tables.alert.c.responder_id)
    .outerjoin(geo_tables.aed, _aed.id == tables.alert.c.aed_id)
)


async def list_alerts(conn: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[Alert]:
    """Return alerts in the order in which they were made."""
    rows = await conn.execute(ALERT.where(*conditions).order_by(tables.alert.c.id))
    return [Alert.from_row(row) for row in reading.rows(rows)]


async def get_alert(conn: AsyncConnection, alert_id: UUID) -> Alert:
    """Return an alert. Raises NotFound."""
    found = await list_alerts(conn, tables.alert.c.id == alert_id)
    if not found:
        raise errors.NotFound
    return found[0]


async def lock_alerts(conn: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[Alert]:
    """Lock alerts in the order of their ids and return them as they are now."""
    rows = await conn.execute(
        ALERT.where(*conditions)
        .order_by(tables.alert.c.id)
        .with_for_update(key_share=True, of=tables.alert)
    )
    return [Alert.from_row(row) for row in reading.rows(rows)]


async def lock_alert_shared(conn: AsyncConnection, alert_id: UUID) -> tuple[Incident, Alert]:
    """Lock an alert, and its incident only against change: for what touches nothing but the alert.

    Receipts come in bursts and need not wait for each other. Never lock the incident for a change
    afterwards in the same transaction; its counts here may be older. Raises NotFound.
    """
    mine = sa.select(tables.alert.c.incident_id).where(tables.alert.c.id == alert_id)
    incident = await share_incident(conn, tables.incident.c.id == mine.scalar_subquery())
    return incident, await _lock_one(conn, alert_id)


async def lock_alerts_shared(
    conn: AsyncConnection, incident_id: UUID, alert_ids: Sequence[UUID]
) -> tuple[Incident, list[Alert]]:
    """Lock some alerts of an incident as `lock_alert_shared` does; those of another are left out.

    Raises NotFound when there is no such incident.
    """
    incident = await share_incident(conn, tables.incident.c.id == incident_id)
    alert = tables.alert.c
    found = await lock_alerts(conn, alert.id.in_(list(alert_ids)), alert.incident_id == incident_id)
    return incident, found


async def _lock_one(conn: AsyncConnection, alert_id: UUID) -> Alert:
    [alert] = await lock_alerts(conn, tables.alert.c.id == alert_id)
    return alert


async def lock_alert(conn: AsyncConnection, alert_id: UUID) -> tuple[Incident, Alert]:
    """Lock the incident of an alert, then the alert, and return both as they are now.

    The incident may be closed. Raises NotFound.
    """
    incident_id = await conn.scalar(
        sa.select(tables.alert.c.incident_id).where(tables.alert.c.id == alert_id)
    )
    if incident_id is None:
        raise errors.NotFound
    incident = await lock_incident(conn, incident_id, even_closed=True)
    return incident, await _lock_one(conn, alert_id)


async def change_alert(conn: AsyncConnection, alert: Alert, **values: Any) -> Alert:
    """Write columns of a locked alert and return it with them."""
    await conn.execute(
        sa.update(tables.alert).where(tables.alert.c.id == alert.id).values(**values)
    )
    return replace(alert, **values)


async def redirect_alert(conn: AsyncConnection, alert_id: UUID, **values: Any) -> Alert:
    """Write role, AED and way of a locked alert, and return it as it is now, with that AED."""
    await conn.execute(
        sa.update(tables.alert).where(tables.alert.c.id == alert_id).values(**values)
    )
    return await get_alert(conn, alert_id)


async def change_alerts(
    conn: AsyncConnection, alerts: Sequence[Alert], **values: Any
) -> list[Alert]:
    """Write the same columns of several locked alerts and return them with them."""
    if alerts:
        ids = [alert.id for alert in alerts]
        await conn.execute(
            sa.update(tables.alert).where(tables.alert.c.id.in_(ids)).values(**values)
        )
    return [replace(alert, **values) for alert in alerts]


@dataclass(frozen=True, slots=True)
class Assignment:
    """An accepting responder's work until it is over."""

    id: UUID
    alert_id: UUID
    incident_id: UUID
    responder_id: UUID
    name: str
    name_en: str | None
    role: states.Role
    aed: Aed | None
    status: states.Assignment
    accepted_at: datetime
    en_route_at: datetime | None
    aed_collected_at: datetime | None
    on_scene_at: datetime | None
    with_patient_at: datetime | None
    handed_over_at: datetime | None
    cleared_at: datetime | None
    ended_at: datetime | None
    device_at: dict[str, str]
    unable_reason: str | None
    eta_at: datetime | None
    version: int
    # Where the responder was last seen, as far as PostgreSQL knows; moves without an event.
    position: Position | None
    position_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Say whether the responder is still bound by it."""
        return self.status not in states.ASSIGNMENT_OVER

    @classmethod
    def from_row(cls, row: reading.Row) -> Assignment:
        """Read a row of `_ASSIGNMENT`; once it is over the position is nobody's business."""
        status = states.Assignment(row["status"])
        is_known = status not in states.ASSIGNMENT_OVER and row["position"] is not None
        typed: dict[str, Any] = {
            "role": states.Role(row["role"]),
            "status": status,
            "aed": Aed.from_row(row),
            "position": Position.from_wkb(row["position"]) if is_known else None,
            "position_at": row["position_at"] if is_known else None,
        }
        return reading.value(cls, row, **typed)


# Served by the primary key or ix_assignment_incident_id.
_ASSIGNMENT = (
    sa.select(
        tables.assignment,
        tables.alert.c.aed_usable_until,
        *tables.person.c["name", "name_en"],
        tables.last_position.c.position,
        tables.last_position.c.at.label("position_at"),
        *_AED_COLUMNS,
    )
    .select_from(tables.assignment)
    .join(tables.alert, tables.alert.c.id == tables.assignment.c.alert_id)
    .join(tables.person, tables.person.c.id == tables.assignment.c.responder_id)
    .outerjoin(
        tables.last_position,
        tables.last_position.c.responder_id == tables.assignment.c.responder_id,
    )
    .outerjoin(geo_tables.aed, _aed.id == tables.assignment.c.aed_id)
)


async def list_assignments(
    conn: AsyncConnection, *conditions: sa.ColumnElement[bool]
) -> list[Assignment]:
    """Return assignments in the order in which they were made."""
    rows = await conn.execute(_ASSIGNMENT.where(*conditions).order_by(tables.assignment.c.id))
    return [Assignment.from_row(row) for row in reading.rows(rows)]


async def get_assignment(conn: AsyncConnection, assignment_id: UUID) -> Assignment:
    """Return an assignment. Raises NotFound."""
    found = await list_assignments(conn, tables.assignment.c.id == assignment_id)
    if not found:
        raise errors.NotFound
    return found[0]


async def find_assignment_of(conn: AsyncConnection, alert_id: UUID) -> Assignment | None:
    """Return the assignment that an alert led to, if it was accepted."""
    found = await list_assignments(conn, tables.assignment.c.alert_id == alert_id)
    return found[0] if found else None


async def lock_assignment(
    conn: AsyncConnection, assignment_id: UUID
) -> tuple[Incident, Assignment]:
    """Lock the incident of an assignment and return both as they are now.

    Every writer of assignments holds the incident's lock, so the row needs none of its own.
    The incident may be closed. Raises NotFound.
    """
    found = await get_assignment(conn, assignment_id)
    incident = await lock_incident(conn, found.incident_id, even_closed=True)
    return incident, await get_assignment(conn, assignment_id)


async def add_assignment(conn: AsyncConnection, **values: Any) -> Assignment:
    """Insert an assignment from its column values and return it."""
    await conn.execute(sa.insert(tables.assignment).values(**values))
    return await get_assignment(conn, values["id"])


async def change_assignment(
    conn: AsyncConnection, assignment_id: UUID, **values: Any
) -> Assignment:
    """Write columns of an assignment under its incident's lock and return it."""
    assignment = tables.assignment
    await conn.execute(
        sa.update(assignment)
        .where(assignment.c.id == assignment_id)
        .values(**values, version=assignment.c.version + 1)
    )
    return await get_assignment(conn, assignment_id)
