"""What people found when they looked at an AED, and what they say about it without looking."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds, tables
from geo.usability import Status


class CheckResult(StrEnum):
    """What somebody who looked at the device found."""

    OK = "ok"
    FAULT = "fault"
    MISSING = "missing"


class ReportKind(StrEnum):
    """What somebody says is wrong, before anybody looked."""

    MISSING = "missing"
    LOCKED = "locked"
    MOVED = "moved"
    BROKEN = "broken"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Check:
    """One look at a device, with the dates that its pads and battery bear."""

    id: UUID
    aed_id: UUID
    result: CheckResult
    pads_expire_on: date | None
    battery_expires_on: date | None
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody said is wrong; settled when a check or a change of status followed."""

    id: UUID
    aed_id: UUID
    kind: ReportKind
    note: str | None
    at: datetime
    settled_at: datetime | None


_CASTS_DOUBT = frozenset(ReportKind) - {ReportKind.OTHER}


async def add_check(
    conn: AsyncConnection,
    aed_id: UUID,
    result: CheckResult,
    *,
    pads_expire_on: date | None = None,
    battery_expires_on: date | None = None,
    note: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Check:
    """Record a look at the device: it confirms the place, or takes the device out of service.

    Either way the open reports are settled. Raises `AedMissing`.
    """
    aed = await aeds.lock(conn, aed_id)
    is_ok = result is CheckResult.OK
    changes: dict[str, object] = {"status": Status.IN_SERVICE if is_ok else Status.OUT_OF_SERVICE}
    if is_ok:
        changes["verified_at"] = now
    await aeds.change(
        conn,
        aed_id,
        changes,
        version=aed.version,
        actor_id=actor_id,
        reason=f"checked: {result.value}",
        now=now,
    )
    await _settle(conn, aed_id, now=now)
    table = tables.aed_check
    values = {
        "aed_id": aed_id,
        "result": result,
        "pads_expire_on": pads_expire_on,
        "battery_expires_on": battery_expires_on,
        "note": note,
        "actor_id": actor_id,
        "at": now,
    }
    row = (await conn.execute(insert(table).values(**values).returning(table))).one()
    return _check(row)


async def list_checks(conn: AsyncConnection, aed_id: UUID, *, limit: int = 100) -> list[Check]:
    """List what was found, the newest first."""
    table = tables.aed_check
    query = select(table).where(table.c.aed_id == aed_id).order_by(table.c.at.desc(), table.c.id)
    return [_check(row) for row in await conn.execute(query.limit(limit))]


async def add_report(
    conn: AsyncConnection,
    aed_id: UUID,
    kind: ReportKind,
    *,
    note: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Report:
    """Record a complaint; until somebody looks, the device counts as unknown, never as gone.

    Only an operator takes it out of service. Raises `AedMissing`.
    """
    aed = await aeds.lock(conn, aed_id)
    if kind in _CASTS_DOUBT and aed.suspect_since is None:
        await aeds.change(
            conn,
            aed_id,
            {"suspect_since": now},
            version=aed.version,
            actor_id=actor_id,
            reason=f"reported: {kind.value}",
            now=now,
        )
    table = tables.aed_report
    values = {"aed_id": aed_id, "kind": kind, "note": note, "actor_id": actor_id, "at": now}
    row = (await conn.execute(insert(table).values(**values).returning(table))).one()
    return _report(row)


async def list_reports(conn: AsyncConnection, aed_id: UUID, *, limit: int = 100) -> list[Report]:
    """List the complaints, the newest first."""
    table = tables.aed_report
    query = select(table).where(table.c.aed_id == aed_id).order_by(table.c.at.desc(), table.c.id)
    return [_report(row) for row in await conn.execute(query.limit(limit))]


async def _settle(conn: AsyncConnection, aed_id: UUID, *, now: datetime) -> None:
    table = tables.aed_report
    is_open = (table.c.aed_id == aed_id) & table.c.settled_at.is_(None)
    await conn.execute(update(table).where(is_open).values(settled_at=now, verdict="accepted"))


def _check(row: Row[Any]) -> Check:
    return Check(
        id=row.id,
        aed_id=row.aed_id,
        result=CheckResult(row.result),
        pads_expire_on=row.pads_expire_on,
        battery_expires_on=row.battery_expires_on,
        note=row.note,
        at=row.at,
    )


def _report(row: Row[Any]) -> Report:
    return Report(
        id=row.id,
        aed_id=row.aed_id,
        kind=ReportKind(row.kind),
        note=row.note,
        at=row.at,
        settled_at=row.settled_at,
    )
