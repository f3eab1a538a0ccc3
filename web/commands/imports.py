"""`golden import osm`: a city from one OpenStreetMap file.

Light: streets and routing tiles are built by processes of their own, which begin before this one
has loaded what fills the database (`city_database`).
"""

import contextlib
import gc
import importlib
import zoneinfo
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import psycopg
import typer

from web.commands import installation, map_file, street_network, valhalla
from web.commands.installation import Installation
from web.commands.map_file import File, Name, Tell
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the file is to become, as it was asked for."""

    name: str
    title_zh: str
    title_en: str
    time_zone: str | None
    org: str
    is_derived: bool


@dataclass(frozen=True, slots=True)
class City:
    """What an import made; `routing` is the folder of routing tiles, None where there are none.

    `counts` is what the database got, `shown` the same for people.
    """

    counts: dict[str, Any]
    shown: str
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
    if map_file.is_change_file(file):
        changes = _loaded("osm_changes")
        changes.print_counts(changes.apply(place, file, org), json=json)
        return
    short = map_file.short_name(name or file.name)
    title = name or short.replace("-", " ").title()
    wanted = Wanted(
        name=short,
        title_zh=title_zh or title,
        title_en=title_en or title,
        time_zone=_known_zone(time_zone),
        org=org,
        is_derived=derived,
    )
    with map_file.bars() as tell:
        city = load_city(place, file, wanted, tell=tell, now=datetime.now(UTC))
    if json:
        print_json({**city.counts, "walking": city.walking, "routing": city.routing})
    else:
        _print(city)


def load_city(
    place: Installation, file: Path, wanted: Wanted, *, tell: Tell, now: datetime
) -> City:
    """Load a city from one file: walking network, database, routing tiles.

    What was there stays if one of the first two cannot be made. Raises Trouble.
    """
    settings = place.settings
    _look_for_database(settings.database_url)
    with _no_search_for_rings(), ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as undo:
        network = street_network.begin(file, settings.walking_dir, wanted.name, tell)
        undo.callback(network.drop)
        tiles = pool.submit(valhalla.prepare, settings.valhalla_dir, name=wanted.name, source=file)
        undo.callback(_drop_tiles, tiles)
        counts, shown = _loaded("city_database").fill(
            place, file, wanted, network, tell=tell, now=now
        )
        undo.pop_all()
        walking = asdict(network.use())
        return City(counts, shown, walking, _use_tiles(tiles, settings.valhalla_dir, tell))


def _loaded(name: str) -> ModuleType:
    """Load a module that takes a second, while others work."""
    return importlib.import_module(f"web.commands.{name}")


def _look_for_database(url: str) -> None:
    """Raise Trouble where there is no database, before anything is begun."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError as error:
        raise Trouble(
            f"The database does not answer. Start the system: golden up\n  {error}",
            "数据库无响应。请先启动系统：golden up",
        ) from error


@contextmanager
def _no_search_for_rings() -> Iterator[None]:
    """Let the garbage collector rest: a city is millions of objects, and no rings among them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


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


def _known_zone(name: str | None) -> str | None:
    if name is not None and name not in zoneinfo.available_timezones():
        raise Trouble(
            f"{name} is no time zone; one such as Asia/Shanghai is meant",
            f"{name} 不是有效时区，例如 Asia/Shanghai。",
        )
    return name


def _print(city: City) -> None:
    lines, attribution = city.shown.rsplit("\n", 1)
    typer.echo(f"{lines}\n{city.walking['streets']} walkable street pieces 步行路段")
    if city.routing is None:
        typer.echo("No routing tiles: route lines are estimates. 无路径数据：路线为直线估计。")
    typer.echo(attribution)
