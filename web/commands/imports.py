"""`golden import osm`: a city from one OpenStreetMap file."""

import contextlib
import gc
import zoneinfo
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import orgs
from geo import osm_import, osm_read
from geo.osm_import import ImportCounts, Target
from web.commands import database, installation, map_file, osm_changes, street_network, valhalla
from web.commands.installation import Installation
from web.commands.map_file import File, Name, Tell
from web.commands.options import DataDir, Json, print_json
from web.commands.street_network import Building
from web.commands.trouble import Trouble


@dataclass(frozen=True, slots=True)
class City:
    """What an import made; `routing` is the folder of routing tiles, None where there are none."""

    counts: ImportCounts
    walking: dict[str, Any]
    routing: str | None


def osm(
    file: File,
    *,
    name: Name = None,
    title_zh: Annotated[str | None, typer.Option(help="Chinese title. 中文名称。")] = None,
    title_en: Annotated[str | None, typer.Option(help="English title. 英文名称。")] = None,
    org: Annotated[
        str, typer.Option(help="Organisation that its AEDs belong to. AED 所属组织代码。")
    ] = "demo",
    time_zone: Annotated[
        str | None, typer.Option(help="Of opening hours, such as Europe/Monaco. 时区。")
    ] = None,
    derived: Annotated[
        bool, typer.Option("--derived", help="Made from other data, not an extract. 派生数据。")
    ] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Load streets, walking network, base map, addresses, AEDs, hospitals and fire stations.

    A second import of a city replaces its map, keeps the history of its AEDs, and changes nothing
    where the file is the same. A change file (.osc, .osc.gz) brings the AEDs of imported cities up
    to date. 重复导入会更新地图并保留 AED 历史；变更文件只更新 AED。
    """
    place = installation.find(data_dir)
    if osm_changes.is_change_file(file):
        osm_changes.print_counts(osm_changes.apply(place, file, org), json=json)
        return
    short = map_file.short_name(name or file.name)
    title = name or short.replace("-", " ").title()
    target = Target(
        name=short,
        title_zh=title_zh or title,
        title_en=title_en or title,
        time_zone=_known_zone(time_zone),
        org_id=_org(place, org),
        is_derived=derived,
    )
    with map_file.bars() as tell:
        city = load_city(place, file, target, tell=tell, now=datetime.now(UTC))
    if json:
        print_json({**asdict(city.counts), "walking": city.walking, "routing": city.routing})
    else:
        _print(city, target)


def load_city(
    place: Installation, file: Path, target: Target, *, tell: Tell, now: datetime
) -> City:
    """Load a city from one file: walking network, database, routing tiles.

    What was there stays if one of the first two cannot be made. Raises Trouble.
    """
    settings = place.settings
    with _no_search_for_rings(), ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as undo:
        # Both build in processes of their own meanwhile.
        network = street_network.begin(file, settings.walking_dir, target.name, tell)
        undo.callback(network.drop)
        tiles = pool.submit(valhalla.prepare, settings.valhalla_dir, name=target.name, source=file)
        undo.callback(_drop_tiles, tiles)
        counts = _database(place, file, target, network, tell=tell, now=now)
        undo.pop_all()
        walking = asdict(network.use())
        return City(counts, walking, _use_tiles(tiles, settings.valhalla_dir, tell))


@contextmanager
def _no_search_for_rings() -> Iterator[None]:
    """Let the garbage collector rest: a city is millions of objects, and no rings among them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _database(
    place: Installation, file: Path, target: Target, network: Building, *, tell: Tell, now: datetime
) -> ImportCounts:
    """Fill the database, unless there will be no network: then it stays as it is."""
    try:
        return osm_import.import_osm(
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


def _drop_tiles(tiles: Future[valhalla.Built]) -> None:
    if tiles.exception() is None:  # what else went wrong has been said
        tiles.result().drop()


def _use_tiles(tiles: Future[valhalla.Built], folder: Path, tell: Tell) -> str | None:
    tell("routing", 0.0)
    try:
        tiles.result().use()
    except Trouble as problem:
        # Times come from the walking network; only lines and driving need the engine.
        typer.echo(f"{problem.en}\n{problem.zh}", err=True)
        return None
    tell("routing", 1.0)
    return str(folder)


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


def _known_zone(name: str | None) -> str | None:
    if name is not None and name not in zoneinfo.available_timezones():
        raise Trouble(
            f"{name} is no time zone; one such as Asia/Shanghai is meant",
            f"{name} 不是有效时区，例如 Asia/Shanghai。",
        )
    return name


def _print(city: City, target: Target) -> None:
    counts, aeds = city.counts, city.counts.aeds
    typer.echo(
        f"{counts.name} ({counts.time_zone}): "
        f"{sum(counts.features.values())} map features 地图要素, "
        f"{counts.addresses} addresses 地址, {counts.demand_points} buildings or streets 需求点, "
        f"{counts.facilities} hospitals and fire stations 医院与消防站\n"
        f"AED: {aeds.added} added 新增, {aeds.changed} changed 更新, "
        f"{aeds.unchanged} unchanged 未变, {aeds.gone} withdrawn 撤下\n"
        f"{city.walking['streets']} walkable street pieces 步行路段"
    )
    if city.routing is None:
        typer.echo("No routing tiles: route lines are estimates. 无路径数据：路线为直线估计。")
    typer.echo(target.attribution)
