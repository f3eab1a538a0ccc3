"""What people found when they looked at an AED."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_entries, aed_reports, aed_uses, aeds, tables
from geo.position import Position, distance_m
from geo.usability import Status

#: A look from farther away is flagged: whoever checks stands before the cabinet.
FAR_M = 100.0


class CheckResult(StrEnum):
    """What somebody who looked at the device found."""

    OK = "ok"
    FAULT = "fault"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody says of a look: the result, the dates on pads and battery, where they stood."""

    result: CheckResult
    pads_expire_on: date | None = None
    child_pads_expire_on: date | None = None
    battery_expires_on: date | None = None
    position: Position | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One look at a device; `away_m` is unknown where the checker's place is."""

    id: UUID
    aed_id: UUID
    result: CheckResult
    pads_expire_on: date | None
    child_pads_expire_on: date | None
    battery_expires_on: date | None
    away_m: float | None
    note: str | None
    actor_id: UUID | None
    at: datetime

    @property
    def is_far(self) -> bool:
        """Tell whether the checker was too far away to have seen the device."""
        return self.away_m is not None and self.away_m > FAR_M

    @classmethod
    def from_row(cls, row: Row[Any]) -> "Check":
        """Read a row of the table."""
        values = {field.name: getattr(row, field.name) for field in fields(cls)}
        return cls(**values | {"result": CheckResult(row.result)})


_DATES = ("pads_expire_on", "child_pads_expire_on", "battery_expires_on")


async def add_check(
    conn: AsyncConnection, aed_id: UUID, look: Look, *, actor_id: UUID | None, now: datetime
) -> Check:
    """Record a look at the device: it confirms the place, or takes the device out of service.

    The open reports are settled, and unless it was missing, an open use is over. The dates that
    were read become the device's. Raises `AedMissing`.
    """
    aed = await aeds.lock(conn, aed_id)
    dates = {name: getattr(look, name) for name in _DATES if getattr(look, name) is not None}
    is_ok = look.result is CheckResult.OK
    is_there = look.result is not CheckResult.MISSING
    changes: dict[str, object] = {
        "status": Status.IN_SERVICE if is_ok else Status.OUT_OF_SERVICE,
        **({"verified_at": now} if is_ok else {}),
        **({"taken_at": None} if is_there else {}),
        **dates,
    }
    reason = f"checked: {look.result.value}"
    await aeds.change_locked(conn, aed, changes, actor_id=actor_id, reason=reason, now=now)
    await aed_reports.settle_all(conn, aed_id, by=actor_id, now=now)
    if is_there:
        await aed_uses.end_open(conn, aed_id, now=now)
    row = await aed_entries.add(
        conn,
        tables.aed_check,
        **dates,
        aed_id=aed_id,
        result=look.result,
        away_m=None if look.position is None else distance_m(aed.position, look.position),
        note=look.note,
        actor_id=actor_id,
        at=now,
    )
    return Check.from_row(row)


async def list_checks(conn: AsyncConnection, aed_id: UUID, *, limit: int = 100) -> list[Check]:
    """List what was found, the newest first."""
    rows = await aed_entries.newest(conn, tables.aed_check, aed_id, limit=limit)
    return [Check.from_row(row) for row in rows]
