"""`golden import osm` and `golden routing build`: a city from one OpenStreetMap file."""

import contextlib
import re
import zoneinfo
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import orgs
from geo import osm_import, osm_read, walking_build, walking_format
from geo.osm_import import ImportCounts, Target
from web.commands import database, import_lists, installation, osm_changes, valhalla
from web.commands.installation import Installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble

app = typer.Typer(help="Import a city or a list. 导入城市或名册。", no_args_is_help=True)
routing = typer.Typer(help="Build routing data only. 仅生成路网数据。", no_args_is_help=True)

Tell = Callable[[str, float], None]

_STAGES = {
    "walking": "Walking network 步行路网",
    "read": "Reading the map 读取地图",
    "write": "Base map and addresses 底图与地址",
    "routing": "Routing tiles 路径数据",
}

File = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, help=".osm.pbf, .osm, .osm.gz; changes: .osc, .osc.gz 地图文件"
    ),
]
Name = Annotated[
    str | None, typer.Option(help="Short name of the city; default from the file. 城市简称。")
]


@dataclass(frozen=True, slots=True)
class City:
    """What an import made; `routing` is the folder of routing tiles, None where there are none."""

    counts: ImportCounts
    walking: dict[str, Any]
    routing: str | None


app.command("aeds")(import_lists.aeds)
app.command("responders")(import_lists.responders)
app.command("stock")(import_lists.stock)


@app.callback()
def _app() -> None:
    """Import a city or a list.

    导入城市或名册。
    """


@routing.callback()
def _routing() -> None:
    """Build routing data only.

    仅生成路网数据。
    """


@app.command("osm")
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
    short = short_name(name or file.name)
    title = name or short.replace("-", " ").title()
    target = Target(
        name=short,
        title_zh=title_zh or title,
        title_en=title_en or title,
        time_zone=_known_zone(time_zone),
        org_id=_org(place, org),
        is_derived=derived,
    )
    with _bars() as tell:
        city = load_city(place, file, target, tell=tell, now=datetime.now(UTC))
    if json:
        print_json({**asdict(city.counts), "walking": city.walking, "routing": city.routing})
    else:
        _print(city, target)


def load_city(
    place: Installation, file: Path, target: Target, *, tell: Tell, now: datetime
) -> City:
    """Load a city from one file: walking network, database, routing tiles.

    The database changes as a whole or not at all. Raises Trouble.
    """
    with ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as undo:
        # The engine builds in processes of its own meanwhile.
        folder = place.settings.valhalla_dir
        tiles = pool.submit(valhalla.prepare, folder, name=target.name, source=file)
        undo.callback(_drop_tiles, tiles)
        network = _walking(place, file, target.name, tell)
        counts = _database(place, file, target, tell=tell, now=now)
        undo.pop_all()
        return City(counts, network, _use_tiles(tiles, folder, tell))


def _database(
    place: Installation, file: Path, target: Target, *, tell: Tell, now: datetime
) -> ImportCounts:
    try:
        return osm_import.import_osm(
            place.settings.database_url, file, target, progress=tell, now=now
        )
    except osm_import.ImportRunning as error:
        raise Trouble(str(error), "另一个导入正在进行，请稍后再试。") from error
    except osm_read.UnreadableFile as error:
        raise _unreadable(file, error) from error
    except OperationalError as error:
        raise Trouble(
            f"The database does not answer. Start the system: golden up\n  {error.orig}",
            "数据库无响应。请先启动系统：golden up",
        ) from error


def _drop_tiles(tiles: Future[valhalla.Built]) -> None:
    with contextlib.suppress(Trouble):
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


@routing.command("build")
def routing_build(
    file: File, *, name: Name = None, json: Json = False, data_dir: DataDir = None
) -> None:
    """Build the walking network and the routing tiles of a city; the database is not touched.

    生成步行路网与路径数据，不改动数据库。
    """
    place = installation.find(data_dir)
    short = short_name(name or file.name)
    with _bars() as tell:
        network = _walking(place, file, short, tell)
        tiles = _routing_tiles(place, file, short, tell)
    if json:
        print_json({"name": short, "walking": network, "routing": tiles})
    else:
        typer.echo(f"{short}: {network['streets']} streets 路段, {network['junctions']} junctions")


@routing.command("renew")
def routing_renew(*, data_dir: DataDir = None) -> None:
    """Build the walking networks anew that another version built, from the files that are kept.

    用保留的地图文件重建旧版本的步行路网。
    """
    place = installation.find(data_dir)
    for city in walking_format.outdated(place.settings.walking_dir):
        file = place.settings.valhalla_dir / "cities" / f"{city}.osm.pbf"
        if not file.exists():
            typer.echo(
                f"{city}: import it again (golden import osm FILE); until then its times are "
                f"estimates.\n{city}：请重新导入地图，此前步行时间均为估计。",
                err=True,
            )
            continue
        with _bars() as tell:
            _walking(place, file, city, tell)
        typer.echo(f"{city}: walking network renewed. 步行路网已更新。")


def _walking(place: Installation, file: Path, name: str, tell: Tell) -> dict[str, Any]:
    folder = place.settings.walking_dir
    try:
        found = walking_build.build(
            file, folder, name, progress=lambda _stage, share: tell("walking", share)
        )
    except (walking_build.NoStreets, RuntimeError) as error:
        raise _unreadable(file, error) from error
    return asdict(found)


def _routing_tiles(place: Installation, file: Path, name: str, tell: Tell) -> str:
    folder = place.settings.valhalla_dir
    tell("routing", 0.0)
    valhalla.build(folder, name=name, source=file)
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


def short_name(text: str) -> str:
    """Make the short name of a city out of a name or a file name. Raises Trouble."""
    stem = re.sub(r"\.(osm(\.pbf|\.gz|\.bz2)?|pbf)$", "", text.lower())
    short = re.sub(r"[^a-z0-9_]+", "-", stem).strip("-_")
    if not short:
        raise Trouble(
            f"{text!r} gives no short name of small letters and digits; say --name",
            f"无法由 {text!r} 得出城市简称，请用 --name 指定。",
        )
    return short


def _known_zone(name: str | None) -> str | None:
    if name is not None and name not in zoneinfo.available_timezones():
        raise Trouble(
            f"{name} is no time zone; one such as Asia/Shanghai is meant",
            f"{name} 不是有效时区，例如 Asia/Shanghai。",
        )
    return name


def _unreadable(file: Path, error: Exception) -> Trouble:
    return Trouble(
        f"{file.name} cannot be imported: {error}", f"无法导入 {file.name}：不是可用的地图文件。"
    )


@contextmanager
def _bars() -> Iterator[Tell]:
    """Show one bar for each stage on a terminal; say nothing elsewhere."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(_STAGES.get(stage, stage), total=1.0)
            bars.update(tasks[stage], completed=share)

        yield tell


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
