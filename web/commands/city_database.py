"""The database's part of `golden import osm`, which takes a second to load."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import orgs
from geo import osm_import, osm_read
from geo.osm_import import ImportCounts, Target
from web.commands import database, map_file
from web.commands.imports import Wanted
from web.commands.installation import Installation
from web.commands.map_file import Tell
from web.commands.street_network import Building
from web.commands.trouble import Trouble


def fill(
    place: Installation, file: Path, wanted: Wanted, network: Building, *, tell: Tell, now: datetime
) -> tuple[dict[str, Any], str]:
    """Fill the database and give what it got: counts, and lines for people, attribution last.

    It stays as it is where there will be no network. Raises Trouble.
    """
    target = Target(
        name=wanted.name,
        title_zh=wanted.title_zh,
        title_en=wanted.title_en,
        time_zone=wanted.time_zone,
        org_id=_org(place, wanted.org),
        is_derived=wanted.is_derived,
    )
    try:
        counts = osm_import.import_osm(
            place.settings.database_url,
            file,
            target,
            progress=tell,
            before_commit=network.wait,
            now=now,
        )
    except osm_import.ImportRunning as error:
        raise Trouble(str(error), "另一个导入正在进行，请稍后再试。") from error
    except osm_read.UnreadableFile as error:
        raise map_file.unreadable(file, error) from error
    except OperationalError as error:
        raise Trouble(
            f"The database does not answer. Start the system: golden up\n  {error.orig}",
            "数据库无响应。请先启动系统：golden up",
        ) from error
    return asdict(counts), f"{_shown(counts)}\n{target.attribution}"


def _org(place: Installation, code: str) -> UUID | None:
    """Find the organisation that gets the AEDs; a database without any gets none."""

    async def work(conn: AsyncConnection, _now: datetime) -> UUID | None:
        found = await orgs.find_org(conn, code)
        return None if found is None else found.id

    found = database.run(place, work)
    if found is None:
        typer.echo(
            f"No organisation {code}: AEDs in the file are left out (--org CODE).\n"
            f"没有组织 {code}：未导入文件中的 AED（可用 --org 指定）。",
            err=True,
        )
    return found


def _shown(counts: ImportCounts) -> str:
    aeds = counts.aeds
    return (
        f"{counts.name} ({counts.time_zone}): "
        f"{sum(counts.features.values())} map features 地图要素, "
        f"{counts.addresses} addresses 地址, {counts.demand_points} buildings or streets 需求点, "
        f"{counts.facilities} hospitals and fire stations 医院与消防站\n"
        f"AED: {aeds.added} added 新增, {aeds.changed} changed 更新, "
        f"{aeds.unchanged} unchanged 未变, {aeds.gone} withdrawn 撤下"
    )
