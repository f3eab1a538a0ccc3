"""Rows of stock reservations with the words that a screen needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, tables
from dispatch.store import reading


@dataclass(frozen=True, slots=True)
class Reservation:
    """A claim on a lot for an incident, with an end."""

    id: UUID
    incident_id: UUID
    lot_id: UUID
    quantity: int
    status: str
    reserved_at: datetime
    expires_at: datetime
    item_code: str
    item_name_zh: str
    item_name_en: str
    unit_zh: str
    unit_en: str
    depot_code: str
    depot_name: str
    depot_name_en: str | None

    @classmethod
    def from_row(cls, row: reading.Row) -> Reservation:
        """Read a row of `_RESERVATION`."""
        return reading.value(cls, row)


# Served by the primary key or ix_reservation_incident_id.
_RESERVATION = (
    sa.select(
        tables.reservation,
        tables.item.c.code.label("item_code"),
        tables.item.c.name_zh.label("item_name_zh"),
        tables.item.c.name_en.label("item_name_en"),
        *tables.item.c["unit_zh", "unit_en"],
        tables.depot.c.code.label("depot_code"),
        tables.depot.c.name.label("depot_name"),
        tables.depot.c.name_en.label("depot_name_en"),
    )
    .select_from(tables.reservation)
    .join(tables.lot, tables.lot.c.id == tables.reservation.c.lot_id)
    .join(tables.item, tables.item.c.id == tables.lot.c.item_id)
    .join(tables.depot, tables.depot.c.id == tables.lot.c.depot_id)
)


_OF_IDS = _RESERVATION.where(reading.is_any(tables.reservation.c.id)).order_by(
    tables.reservation.c.id
)


def reading_reservations(ids: Sequence[UUID]) -> db.Query:
    """Read these, in the order in which they were made; each row is one of `from_row`."""
    return _OF_IDS, {"ids": list(ids)}


async def list_reservations(
    conn: AsyncConnection, *conditions: sa.ColumnElement[bool]
) -> list[Reservation]:
    """Return reservations in the order in which they were made."""
    rows = await conn.execute(_RESERVATION.where(*conditions).order_by(tables.reservation.c.id))
    return [Reservation.from_row(row) for row in rows.mappings()]


async def reservations_of(conn: AsyncConnection, incident_id: UUID) -> list[Reservation]:
    """Return every reservation of an incident, ended ones included."""
    return await list_reservations(conn, tables.reservation.c.incident_id == incident_id)
