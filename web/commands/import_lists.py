"""`golden import aeds|responders|stock`: a list from a sheet, as a whole or not at all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import orgs
from dispatch.uploads import ListKind
from geo.datum import Crs
from web.commands import database, installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble
from web.imports import mapping, sheet, taking
from web.imports.mapping import BadMapping, Choice
from web.imports.report import Report
from web.imports.taking import Opened, Options, Taken, Tell

ListFile = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, help="CSV, TSV, XLSX, GeoJSON, KML or XML 名册文件"
    ),
]
Datum = Annotated[Crs, typer.Option(help="Datum of the positions. 坐标系。")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="field=column, repeatable. 字段=列名，可重复。"),
]
Layout = Annotated[
    str | None, typer.Option(help="Instead of the detected one, such as guessed. 版式名称。")
]
Encoding = Annotated[str | None, typer.Option(help="Instead of the detected one. 文字编码。")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen, write nothing. 仅试运行。")
]
Org = Annotated[str, typer.Option(help="Organisation that the list belongs to. 所属组织代码。")]
_SLOW_S = 2.0
_SHOWN_ROWS = 12


def aeds(
    file: ListFile,
    *,
    crs: Datum = Crs.WGS84,
    layout: Layout = None,
    map_: Map = None,
    encoding: Encoding = None,
    dry_run: DryRun = False,
    org: Org = "demo",
    source: Annotated[
        str | None,
        typer.Option(
            help="Registry that the list comes from; lists of one know each other. 来源。"
        ),
    ] = None,
    keep_far: Annotated[
        bool,
        typer.Option(
            "--keep-far", help="Take rows far from all others too. 保留远离其他位置的行。"
        ),
    ] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Load a list of AEDs; rows that cannot be used are named, with the reason.

    A second import of the same list changes nothing; a newer list of the same source changes only
    what it says differently. 重复导入不产生变化；新名册只更新有变化的内容。
    """
    opened = _read(file, ListKind.AEDS, map_ or [], encoding, layout)
    options = Options(crs, source, keep_far, is_trial=dry_run)
    show(_take(opened, options, org, data_dir), opened, dry_run=dry_run, as_json=json)


def responders(
    file: ListFile,
    *,
    crs: Datum = Crs.WGS84,
    layout: Layout = None,
    map_: Map = None,
    encoding: Encoding = None,
    dry_run: DryRun = False,
    org: Org = "demo",
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Load a list of volunteers; rows that cannot be used are named, with the reason.

    导入志愿者名册；无法使用的行会列出原因。
    """
    opened = _read(file, ListKind.RESPONDERS, map_ or [], encoding, layout)
    taken = _take(opened, Options(crs, is_trial=dry_run), org, data_dir)
    show(taken, opened, dry_run=dry_run, as_json=json)


def stock(
    file: ListFile,
    *,
    layout: Layout = None,
    map_: Map = None,
    encoding: Encoding = None,
    dry_run: DryRun = False,
    org: Org = "demo",
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Load a list of lots of relief goods; rows that cannot be used are named, with the reason.

    导入物资批次名册；无法使用的行会列出原因。
    """
    opened = _read(file, ListKind.STOCK, map_ or [], encoding, layout)
    taken = _take(opened, Options(is_trial=dry_run), org, data_dir)
    show(taken, opened, dry_run=dry_run, as_json=json)


def _read(
    file: Path, kind: ListKind, pairs: list[str], encoding: str | None, layout: str | None
) -> Opened:
    """Read a list and find its layout, with what was mapped by hand. Raises Trouble."""
    try:
        columns = mapping.parse(pairs)
        content = file.read_bytes()
        choice = None if layout is None else Choice(layout)
        opened = taking.open_list(
            content, file.name, kind, encoding=encoding, columns=columns, layout=choice
        )
        taking.check_complete(opened)
    except sheet.Unreadable as error:
        raise Trouble(f"{file.name}: {error.en}", f"{file.name}：{error.zh}") from error
    except BadMapping as error:
        raise Trouble(
            f"{file.name}: {error.said.en}. Name columns: --map field=COLUMN",
            f"{file.name}：{error.said.zh}。可指定：--map 字段=列名",
        ) from error
    return opened


def _take(opened: Opened, options: Options, org: str, data_dir: Path | None) -> Taken:
    place = installation.find(data_dir)
    with _bar(opened.profile.kind) as tell:

        async def work(conn: AsyncConnection, now: datetime) -> Taken:
            org_id = await owner(conn, org)
            return await taking.take(conn, org_id, opened, options, by=None, tell=tell, now=now)

        return database.run(place, work)


async def owner(conn: AsyncConnection, code: str) -> UUID:
    """Find the organisation that a list belongs to. Raises Trouble."""
    found = await orgs.find_org(conn, code)
    if found is None:
        raise Trouble(
            f"No organisation {code}; add it (golden org) or name another: --org CODE",
            f"没有组织 {code}，请先添加（golden org）或用 --org 指定其他组织。",
        )
    return found.id


def show(taken: Taken, opened: Opened, *, dry_run: bool, as_json: bool) -> None:
    """Print the outcome; with JSON on the output, the warnings go to the other stream."""
    outcome = taken.report
    if as_json:
        print_json(outcome.as_json())
    else:
        _print(outcome, opened, dry_run=dry_run)
    for warning in outcome.warnings:
        proposal = f" ({warning.proposal})" if warning.proposal else ""
        typer.echo(f"! {warning.text}{proposal}{_numbers(warning.rows)}", err=as_json)


def _print(outcome: Report, opened: Opened, *, dry_run: bool) -> None:
    found = opened.sheet
    typer.echo(
        f"{found.format}, {found.encoding}, {opened.profile.name}: {len(found.rows)} rows 行"
    )
    if dry_run:
        typer.echo("Dry run: nothing was written. 试运行：未写入任何数据。")
    typer.echo(
        f"{outcome.added} added 新增, {outcome.changed} changed 更新, "
        f"{outcome.unchanged} unchanged 未变, {len(outcome.rejected)} rejected 拒绝"
    )
    for entry in sorted(outcome.rejected, key=lambda entry: entry.row):
        typer.echo(f"  row 行 {entry.row}: {entry.reason}")


def _numbers(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    more = f" +{len(rows) - _SHOWN_ROWS}" if len(rows) > _SHOWN_ROWS else ""
    return f" [row 行 {', '.join(map(str, rows[:_SHOWN_ROWS]))}{more}]"


@contextmanager
def _bar(what: str) -> Iterator[Tell]:
    """Show a bar on a terminal once the work has taken two seconds; say nothing elsewhere."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    console = Console(stderr=True)
    began = time.monotonic()
    bars = Progress(*columns, console=console, transient=True)
    task = bars.add_task(what, total=1.0)

    def tell(share: float) -> None:
        if console.is_terminal and time.monotonic() - began > _SLOW_S:
            bars.start()
        bars.update(task, completed=share)

    try:
        yield tell
    finally:
        bars.stop()
