"""What people say is wrong with an AED without having the task to look, and what became of it.

A report casts doubt at once: the device counts as unknown. The map changes when somebody settles
the report, or looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_entries, aeds, tables
from geo.position import Position
from geo.usability import Status


class ReportKind(StrEnum):
    """What somebody says is wrong, before anybody looked."""

    MISSING = "missing"
    LOCKED = "locked"
    MOVED = "moved"
    BROKEN = "broken"
    CLOSED = "closed"
    OTHER = "other"


class Verdict(StrEnum):
    """What became of a report."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ReportMissing(LookupError):
    """The device has no report with this id."""


class AlreadySettled(Exception):
    """Somebody has settled the report in another way; `present` is what it is now."""

    def __init__(self, present: "Report") -> None:
        super().__init__(f"it is {present.verdict}")
        self.present = present


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody said is wrong; without `actor_id` they were not signed in."""

    id: UUID
    aed_id: UUID
    kind: ReportKind
    note: str | None
    position: Position | None
    actor_id: UUID | None
    at: datetime
    verdict: Verdict
    settled_at: datetime | None
    settled_by: UUID | None
    settled_note: str | None

    @classmethod
    def from_row(cls, row: Row[Any]) -> "Report":
        """Read a row of the table."""
        values = {field.name: getattr(row, field.name) for field in fields(cls)}
        place = None if row.position is None else Position.from_wkb(row.position)
        typed = {"kind": ReportKind(row.kind), "verdict": Verdict(row.verdict), "position": place}
        return cls(**values | typed)


@dataclass(frozen=True, slots=True)
class Decision:
    """How a report is settled; `status` says what the device is now, else the report decides."""

    verdict: Verdict
    note: str | None = None
    status: Status | None = None


_CASTS_DOUBT = frozenset(ReportKind) - {ReportKind.OTHER}


async def add_report(
    conn: AsyncConnection,
    aed_id: UUID,
    kind: ReportKind,
    *,
    note: str | None = None,
    position: Position | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Report:
    """Record a report; until somebody looks, the device counts as unknown, never as gone.

    Raises `AedMissing`, of a withdrawn device too.
    """
    aed = await aeds.lock(conn, aed_id)
    if aed.status is Status.WITHDRAWN:
        raise aeds.AedMissing(str(aed_id))
    if kind in _CASTS_DOUBT and aed.suspect_since is None:
        doubt, reason = {"suspect_since": now}, f"reported: {kind.value}"
        await aeds.change_locked(conn, aed, doubt, actor_id=actor_id, reason=reason, now=now)
    row = await aed_entries.add(
        conn,
        tables.aed_report,
        aed_id=aed_id,
        kind=kind,
        note=note,
        position=None if position is None else position.ewkb(),
        actor_id=actor_id,
        at=now,
    )
    return Report.from_row(row)


async def list_reports(conn: AsyncConnection, aed_id: UUID, *, limit: int = 100) -> list[Report]:
    """List what was said of a device, the newest first."""
    rows = await aed_entries.newest(conn, tables.aed_report, aed_id, limit=limit)
    return [Report.from_row(row) for row in rows]


# Served by ix_aed_report_open, or by ix_aed_report_aed_id_at for what is settled.
_QUEUE = text("""
select aed_report.*, aed.name
from aed_report join aed on aed.id = aed_report.aed_id
where verdict = :verdict and aed.org_id = any(:orgs)
  and (cast(:after_at as timestamptz) is null
       or (aed_report.at, aed_report.id) > (:after_at, cast(:after_id as uuid)))
order by aed_report.at, aed_report.id
limit :limit
""")


async def queue(
    conn: AsyncConnection,
    verdict: Verdict,
    *,
    org_ids: Sequence[UUID],
    after: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[tuple[Report, str]]:
    """List the reports of some organisations' devices with the devices' names, the oldest first."""
    after_at, after_id = after or (None, None)
    binds = {"verdict": verdict, "orgs": list(org_ids), "limit": limit}
    rows = await conn.execute(_QUEUE, {**binds, "after_at": after_at, "after_id": after_id})
    return [(Report.from_row(row), row.name) for row in rows]


async def settle(
    conn: AsyncConnection,
    aed_id: UUID,
    report_id: UUID,
    decision: Decision,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> Report:
    """Accept or reject a report and change the device by it; repeating changes nothing.

    Accepted, `moved` takes the device to the place that was given; any other one but `other`, or
    one that moved nobody knows where, takes it out of service. Doubt stays while other reports
    are open. Raises `AedMissing`, `ReportMissing`, `AlreadySettled`.
    """
    aed = await aeds.lock(conn, aed_id)
    report = await get(conn, aed_id, report_id)
    if report.verdict is not Verdict.OPEN:
        if report.verdict is decision.verdict:
            return report
        raise AlreadySettled(report)
    row = await aed_entries.change(
        conn,
        tables.aed_report,
        report_id,
        verdict=decision.verdict,
        settled_at=now,
        settled_by=actor_id,
        settled_note=decision.note,
    )
    doubt = await _oldest_doubt(conn, aed_id)
    changes = {**_changes(report, decision, aed), "suspect_since": doubt}
    if len(changes) > 1 or doubt != aed.suspect_since:
        reason = f"report {decision.verdict.value}: {report.kind.value}"
        await aeds.change_locked(conn, aed, changes, actor_id=actor_id, reason=reason, now=now)
    return Report.from_row(row)


def _changes(report: Report, decision: Decision, aed: aeds.Aed) -> dict[str, object]:
    """Say what a decision makes of the device."""
    changes: dict[str, object] = {}
    if decision.verdict is Verdict.ACCEPTED:
        if report.kind is ReportKind.MOVED and report.position is not None:
            changes |= _moved_to(report.position)
        elif report.kind in _CASTS_DOUBT and aed.status is Status.IN_SERVICE:
            changes["status"] = Status.OUT_OF_SERVICE
    if decision.status is not None:
        changes["status"] = decision.status
    return changes


def _moved_to(place: Position) -> dict[str, object]:
    return {
        "position": place,
        "source_crs": "wgs84",
        "raw_lon": place.lon,
        "raw_lat": place.lat,
        "accuracy_m": None,
        "position_method": "gps",
    }


async def _oldest_doubt(conn: AsyncConnection, aed_id: UUID) -> datetime | None:
    table = tables.aed_report
    query = select(func.min(table.c.at)).where(
        table.c.aed_id == aed_id,
        table.c.verdict == Verdict.OPEN,
        table.c.kind.in_(sorted(_CASTS_DOUBT)),
    )
    found: datetime | None = await conn.scalar(query)
    return found


async def get(conn: AsyncConnection, aed_id: UUID, report_id: UUID) -> Report:
    """Give one report of the device. Raises `ReportMissing`."""
    row = await aed_entries.find(conn, tables.aed_report, aed_id, report_id)
    if row is None:
        raise ReportMissing(str(report_id))
    return Report.from_row(row)


async def settle_all(
    conn: AsyncConnection, aed_id: UUID, *, by: UUID | None, now: datetime
) -> None:
    """Settle what is open of a locked device: somebody has looked."""
    table = tables.aed_report
    is_open = (table.c.aed_id == aed_id) & (table.c.verdict == Verdict.OPEN)
    values = {"verdict": Verdict.ACCEPTED, "settled_at": now, "settled_by": by}
    await conn.execute(update(table).where(is_open).values(**values))
