"""A list taken over into the database, or only tried: the same for each kind and either edge."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import devices, responder_import, stock_import
from dispatch.uploads import ListKind
from geo import aed_import, aed_references
from geo.datum import Crs
from geo.position import Position
from web.imports import aed_places, aeds, mapping, report, responders, sheet, stock
from web.imports.mapping import BadMapping
from web.imports.profile import Choice, Columns, Profile
from web.imports.report import Rejected, Report, Said
from web.imports.sheet import Sheet

#: What a list does that cannot be read yet.
NOTHING = Report()

Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A list that was read, with the layout it was found to have.

    `lacking` are the columns that the chosen layout names and the list does not have.
    """

    sheet: Sheet
    profile: Profile
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How a list is to be read; `source` names the registry that it comes from."""

    crs: Crs = Crs.WGS84
    source: str | None = None
    keep_far: bool = False
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a list; `outcomes` and `places` by the number of the row."""

    report: Report
    outcomes: Mapping[int, str] = field(default_factory=dict)
    places: Mapping[int, Position] = field(default_factory=dict)


def open_list(
    content: bytes,
    name: str,
    kind: ListKind,
    *,
    encoding: str | None,
    columns: Columns,
    layout: Choice | None = None,
) -> Opened:
    """Read a list in the layout that was chosen, else found, with what was mapped by hand.

    Raises `sheet.Unreadable`, `BadMapping`.
    """
    found = sheet.read(content, name, encoding=encoding)
    profile = mapping.with_columns(mapping.find(found, kind, layout), kind, columns, found)
    return Opened(found, profile, tuple(mapping.lacking(found, layout)))


def check_complete(opened: Opened) -> None:
    """Refuse a layout that lacks a required column. Raises `BadMapping`."""
    absent = mapping.missing(opened.profile, opened.sheet)
    if absent:
        wanted, columns = absent[0], ", ".join(opened.sheet.columns)
        raise BadMapping(
            Said(
                f"no column was found for {wanted.name} ({wanted.en}); columns: {columns}",
                f"找不到“{wanted.zh}”列。现有列：{columns}",
            )
        )


async def take(
    conn: AsyncConnection,
    org_id: UUID,
    opened: Opened,
    options: Options,
    *,
    by: UUID | None,
    tell: Tell = lambda _share: None,
    now: datetime,
) -> Taken:
    """Bring the database up to the list in the caller's transaction; a trial leaves no trace."""
    job = _Job(conn, org_id, opened, options, by, tell, now)
    async with conn.begin_nested() as kept:
        taken = await _TAKERS[ListKind(opened.profile.kind)](job)
        if options.is_trial:
            await kept.rollback()
    warnings = (*_left_out(opened), *taken.report.warnings)
    return replace(taken, report=replace(taken.report, warnings=warnings))


def _left_out(opened: Opened) -> Iterator[report.Warning]:
    """Say which sheets of a workbook were not read, and which columns were looked for in vain."""
    names = ", ".join(opened.sheet.left_out)
    if names:
        said = Said(
            f"only the fullest sheet was read, not: {names}; save each as a file of its own",
            f"仅读取了行数最多的工作表，未读取：{names}；请分别另存为单独文件",
        )
        yield report.Warning("sheets_left_out", said)
    columns = ", ".join(opened.lacking)
    if columns:
        said = Said(
            f"the layout {opened.profile.name} names columns that this list lacks: {columns}",
            f"版式“{opened.profile.name}”中的这些列在本名册中不存在：{columns}",
        )
        yield report.Warning("columns_lacking", said)


@dataclass(frozen=True, slots=True)
class _Job:
    conn: AsyncConnection
    org_id: UUID
    opened: Opened
    options: Options
    by: UUID | None
    tell: Tell
    now: datetime


async def _aeds(job: _Job) -> Taken:
    opened, options = job.opened, job.options
    rows, rejected, warnings = aeds.facts(
        opened.sheet, opened.profile, options.crs, is_far_fine=options.keep_far
    )
    source = options.source or opened.profile.source
    known = await aed_references.known(job.conn, job.org_id, rows, source=source)
    if opened.profile.style != "golden":  # whose raw numbers are of many lists
        warnings += aed_places.shifted(rows, options.crs, known)
    merged = await aed_import.merge(
        job.conn,
        job.org_id,
        rows,
        source=source,
        actor_id=job.by,
        progress=job.tell,
        now=job.now,
    )
    if not options.is_trial:
        await devices.tell_list(
            job.conn, job.org_id, merged.touched(), source=source,
            added=merged.count(aed_import.Outcome.ADDED), now=job.now,
        )  # fmt: skip
    places = {row.number: row.facts["position"] for row in rows}
    return _taken(merged.outcomes, rejected, [*warnings, *_found_odd(merged)], places)


def _found_odd(merged: aed_import.Merge) -> list[report.Warning]:
    warnings = []
    if merged.alike:
        said = Said(
            "a device of another source is registered there under such a name",
            "该处已登记有其他来源的同名设备，可能重复",
        )
        warnings.append(report.Warning("registered", said, merged.alike))
    if merged.moved:
        said = Said(
            "moved by 500 m or more since the list before; look at the map",
            "与上一版名册相比位置移动超过 500 米，请在地图上核对",
        )
        warnings.append(report.Warning("moved", said, merged.moved))
    if merged.missing:
        said = Said(
            f"{merged.missing} registered devices of this source are not in the list; "
            "they were left as they are",
            f"有 {merged.missing} 台同一来源的已登记设备不在本名册中，未作改动",
        )
        warnings.append(report.Warning("missing", said))
    return warnings


async def _responders(job: _Job) -> Taken:
    today = job.now.date()
    rows, rejected, warnings = responders.facts(job.opened.sheet, job.opened.profile, today=today)
    outcomes = await responder_import.merge(job.conn, job.org_id, rows)
    return _taken(outcomes, [*rejected, *responders.refused(outcomes)], warnings)


async def _stock(job: _Job) -> Taken:
    today = job.now.date()
    rows, rejected, warnings = stock.facts(job.opened.sheet, job.opened.profile, today=today)
    outcomes = await stock_import.merge(job.conn, job.org_id, rows, by=job.by, now=job.now)
    return _taken(outcomes, [*rejected, *stock.refused(outcomes)], warnings)


def _taken(
    outcomes: Mapping[int, Any],
    rejected: Sequence[Rejected],
    warnings: Sequence[report.Warning],
    places: Mapping[int, Position] | None = None,
) -> Taken:
    words = {number: str(outcome) for number, outcome in outcomes.items()}
    counts = Counter(words.values())
    done = Report(
        counts["added"], counts["changed"], counts["unchanged"], rejected, gathered(warnings)
    )
    return Taken(done, words, places or {})


def gathered(warnings: Sequence[report.Warning]) -> tuple[report.Warning, ...]:
    """Put warnings of one code together, with all of their rows."""
    by_code: dict[str, report.Warning] = {}
    for warning in warnings:
        first = by_code.setdefault(warning.code, replace(warning, rows=()))
        rows = tuple(sorted({*first.rows, *warning.rows}))
        by_code[warning.code] = replace(first, rows=rows)
    return tuple(by_code.values())


_TAKERS = {
    ListKind.AEDS: _aeds,
    ListKind.RESPONDERS: _responders,
    ListKind.STOCK: _stock,
}
