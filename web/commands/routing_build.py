"""`golden routing build` and `renew`: what ways are found with, the database apart."""

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from geo import walking_format
from web.commands import installation, map_file, street_network, valhalla
from web.commands.installation import Installation
from web.commands.map_file import File, Name, Tell
from web.commands.options import DataDir, Json, print_json

app = typer.Typer(help="Build routing data only. 仅生成路网数据。", no_args_is_help=True)


@app.callback()
def _app() -> None:
    """Build routing data only.

    仅生成路网数据。
    """


@app.command("build")
def build(file: File, *, name: Name = None, json: Json = False, data_dir: DataDir = None) -> None:
    """Build the walking network and the routing tiles of a city; the database is not touched.

    生成步行路网与路径数据，不改动数据库。
    """
    place = installation.find(data_dir)
    short = map_file.short_name(name or file.name)
    with map_file.bars() as tell:
        network = _walking(place, file, short, tell)
        tiles = _routing_tiles(place, file, short, tell)
    if json:
        print_json({"name": short, "walking": network, "routing": tiles})
    else:
        typer.echo(f"{short}: {network['streets']} streets 路段, {network['junctions']} junctions")


@app.command("renew")
def renew(*, data_dir: DataDir = None) -> None:
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
        with map_file.bars() as tell:
            _walking(place, file, city, tell)
        typer.echo(f"{city}: walking network renewed. 步行路网已更新。")


def _walking(place: Installation, file: Path, name: str, tell: Tell) -> dict[str, Any]:
    with contextlib.ExitStack() as undo:
        network = street_network.begin(file, place.settings.walking_dir, name, tell)
        undo.callback(network.drop)
        built = network.use()
        undo.pop_all()
    return asdict(built)


def _routing_tiles(place: Installation, file: Path, name: str, tell: Tell) -> str:
    folder = place.settings.valhalla_dir
    tell("routing", 0.0)
    valhalla.build(folder, name=name, source=file)
    tell("routing", 1.0)
    return str(folder)
