"""From taking a device to its return: in between nobody is sent for it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_entries, aeds, tables
from geo.usability import Status


class UseMissing(LookupError):
    """The device has no use with this id."""


class AlreadyTaken(Exception):
    """Somebody has taken the device and not brought it back; `present` is that use."""

    def __init__(self, present: "Use") -> None:
        super().__init__(f"taken at {present.taken_at}")
        self.present = present


@dataclass(frozen=True, slots=True)
class Use:
    """One time that the device was taken; back when `returned_at` is set."""

    id: UUID
    aed_id: UUID
    incident_id: UUID | None
    assignment_id: UUID | None
    actor_id: UUID | None
    taken_at: datetime
    returned_at: datetime | None
    pads_used: bool | None
    note: str | None

    @classmethod
    def from_row(cls, row: Row[Any]) -> "Use":
        """Read a row of the table."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})


async def take(
    conn: AsyncConnection,
    aed_id: UUID,
    *,
    incident_id: UUID | None = None,
    assignment_id: UUID | None = None,
    note: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Use:
    """Record that the device was taken from its place. Raises `AedMissing`, `AlreadyTaken`."""
    aed = await aeds.lock(conn, aed_id)
    present = await find_open(conn, aed_id)
    if present is not None:
        raise AlreadyTaken(present)
    taken = {"taken_at": now}
    await aeds.change_locked(conn, aed, taken, actor_id=actor_id, reason="taken", now=now)
    row = await aed_entries.add(
        conn,
        tables.aed_use,
        aed_id=aed_id,
        incident_id=incident_id,
        assignment_id=assignment_id,
        actor_id=actor_id,
        taken_at=now,
        note=note,
    )
    return Use.from_row(row)


async def give_back(
    conn: AsyncConnection,
    aed_id: UUID,
    use_id: UUID,
    *,
    pads_used: bool,
    note: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Use:
    """Record that the device hangs at its place again; repeating changes nothing.

    With used pads it is out of service until somebody has looked at it. Raises `AedMissing`,
    `UseMissing`.
    """
    aed = await aeds.lock(conn, aed_id)
    use = await get(conn, aed_id, use_id)
    if use.returned_at is not None:
        return use
    changes: dict[str, object] = {"taken_at": None}
    if pads_used and aed.status is Status.IN_SERVICE:
        changes["status"] = Status.OUT_OF_SERVICE
    reason = "returned: pads used" if pads_used else "returned"
    await aeds.change_locked(conn, aed, changes, actor_id=actor_id, reason=reason, now=now)
    values = {
        "returned_at": now,
        "pads_used": pads_used,
        "note": use.note if note is None else note,
    }
    return Use.from_row(await aed_entries.change(conn, tables.aed_use, use_id, **values))


async def end_open(conn: AsyncConnection, aed_id: UUID, *, now: datetime) -> None:
    """End the use of a locked device that somebody has seen at its place."""
    table = tables.aed_use
    is_open = (table.c.aed_id == aed_id) & table.c.returned_at.is_(None)
    await conn.execute(update(table).where(is_open).values(returned_at=now))


async def find_open(conn: AsyncConnection, aed_id: UUID) -> Use | None:
    """Give the use that has not ended; None when the device is at its place."""
    table = tables.aed_use
    query = select(table).where(table.c.aed_id == aed_id, table.c.returned_at.is_(None))
    row = (await conn.execute(query)).first()
    return None if row is None else Use.from_row(row)


async def get(conn: AsyncConnection, aed_id: UUID, use_id: UUID) -> Use:
    """Give one use of the device. Raises `UseMissing`."""
    row = await aed_entries.find(conn, tables.aed_use, aed_id, use_id)
    if row is None:
        raise UseMissing(str(use_id))
    return Use.from_row(row)


async def list_uses(conn: AsyncConnection, aed_id: UUID, *, limit: int = 100) -> list[Use]:
    """List the uses, the newest first."""
    rows = await aed_entries.newest(conn, tables.aed_use, aed_id, by="taken_at", limit=limit)
    return [Use.from_row(row) for row in rows]


async def list_open_of(conn: AsyncConnection, actor_id: UUID, *, limit: int = 100) -> list[Use]:
    """List the devices that a person took and has not brought back, the newest first."""
    table = tables.aed_use
    query = select(table).where(table.c.actor_id == actor_id, table.c.returned_at.is_(None))
    rows = await conn.execute(query.order_by(table.c.taken_at.desc(), table.c.id).limit(limit))
    return [Use.from_row(row) for row in rows]
