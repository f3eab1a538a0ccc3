"""OpenStreetMap two ways: a change file into the registry, our corrections out for review."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import orgs
from geo import osm_aeds, osm_diff, osm_edits, osm_read
from geo.osm_aeds import DiffCounts
from web.commands import database, installation
from web.commands.installation import Installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble


def apply(place: Installation, file: Path, org: str) -> DiffCounts:
    """Bring the AEDs of an organisation up to a change file. Raises Trouble."""
    try:
        changes = osm_diff.read(file)
    except osm_read.UnreadableFile as error:
        raise Trouble(
            f"{file.name} cannot be imported: {error}", f"无法导入 {file.name}：不是变更文件。"
        ) from None

    async def work(conn: AsyncConnection, now: datetime) -> DiffCounts:
        owner = await _org(conn, org)

        def merge(sync: sa.Connection) -> DiffCounts:
            return osm_aeds.apply(sync, changes, owner.id, now=now)

        return await conn.run_sync(merge)

    return database.run(place, work)


def print_counts(counts: DiffCounts, *, json: bool) -> None:
    """Say what a change file did."""
    if json:
        print_json(asdict(counts))
        return
    typer.echo(
        f"AED: {counts.added} added 新增, {counts.changed} changed 更新, "
        f"{counts.unchanged} unchanged 未变, {counts.gone} withdrawn 撤下, "
        f"{counts.stale} known in a newer version 已有更新版本, "
        f"{counts.outside} outside the imported cities 不在已导入城市内"
    )


def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="changes.osc 输出文件")],
    *,
    org: Annotated[str, typer.Option(help="Whose registry. 组织代码。")] = "demo",
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Write our corrections as an OpenStreetMap change file; nothing is uploaded.

    将本地更正写成 OSM 变更文件，供人工审核；不会自动上传。
    """

    async def work(conn: AsyncConnection, _now: datetime) -> osm_edits.Edits:
        return await osm_edits.export(conn, (await _org(conn, org)).id)

    edits = database.run(installation.find(data_dir), work)
    file.write_bytes(edits.xml)
    counts = {key: value for key, value in asdict(edits).items() if key != "xml"}
    if json:
        print_json({"file": str(file), **counts})
        return
    typer.echo(
        f"{file}: {edits.created} to create 新增, {edits.modified} to modify 修改, "
        f"{edits.deleted} to delete 删除, {edits.unversioned} left out 略过（无版本号）\n"
        "Review it before anybody uploads it. 上传前请人工审核。"
    )


async def _org(conn: AsyncConnection, code: str) -> orgs.Org:
    found = await orgs.find_org(conn, code)
    if found is None:
        raise Trouble(f"There is no organisation {code!r}.", f"没有代码为 {code} 的组织。")
    return found
