"""The tiles of the Valhalla routing engine: built from the files of all cities that are here."""

import contextlib
import fcntl
import json
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from web.commands import city_file, routing_service
from web.commands.trouble import Trouble

_THREADS = 2
#: Nobody waits for tiles alone: an import has more to do beside them, and a city may be served.
_NICE = ("nice", "-n", "5")
#: Longest journey that is answered: a city and its surroundings, not a continent.
_FARTHEST_M = 200_000


@dataclass(frozen=True, slots=True)
class Built:
    """Tiles that are finished and not yet in use, and the file of the city that is new in them."""

    folder: Path
    tiles: Path
    settings: str
    part: Path
    city: Path
    lock: TextIO

    def use(self) -> None:
        """Let `tiles` and the settings point to them.

        A service that runs on the ones before keeps them until it is started again, which the
        supervisor does (`routing_watch`).
        """
        self.part.replace(self.city)
        _point(self.folder / "tiles", self.tiles)
        part = self.folder / f"{routing_service.CONFIG}.part"
        part.write_text(self.settings)
        part.replace(self.folder / routing_service.CONFIG)
        self.lock.close()

    def drop(self) -> None:
        """Forget them."""
        shutil.rmtree(self.tiles, ignore_errors=True)
        self.lock.close()


def build(folder: Path, *, name: str, source: Path) -> None:
    """Build the tiles anew from this city's file and those of the others here, and use them.

    Raises Trouble.
    """
    prepare(folder, name=name, source=source).use()


def prepare(folder: Path, *, name: str, source: Path) -> Built:
    """Build tiles from this city's file and those of the others here, in a folder of their own.

    Raises Trouble.
    """
    if not routing_service.is_installed():
        raise Trouble(
            "The routing engine is not installed; scripts/start does that.",
            "未安装路径引擎；请运行 scripts/start。",
        )
    cities, pointer = folder / "cities", folder / "tiles"
    cities.mkdir(parents=True, exist_ok=True)
    lock = _locked(folder)
    in_use = pointer.readlink().name if pointer.is_symlink() else ""
    for left_over in folder.glob(".tiles.*"):
        if left_over.name != in_use:
            shutil.rmtree(left_over, ignore_errors=True)
    fresh = folder / f".tiles.{secrets.token_hex(6)}"
    fresh.mkdir()
    built = Built(
        folder=folder,
        tiles=fresh,
        settings=json.dumps(_settings(fresh), indent=1),
        part=fresh / "city.osm.pbf",
        city=cities / f"{name}.osm.pbf",
        lock=lock,
    )
    with contextlib.ExitStack() as undo:
        undo.callback(built.drop)
        others = sorted(path for path in cities.glob("*.pbf") if path != built.city)
        city_file.write(source, built.part, others)
        config = fresh / routing_service.CONFIG
        config.write_text(built.settings)
        _run("build_tiles", "-c", str(config), *map(str, [*others, built.part]))
        undo.pop_all()
    return built


def _locked(folder: Path) -> TextIO:
    """Keep others from building here until the file is closed."""
    lock = (folder / "build.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Trouble(
            "Routing tiles are being built already; try again when that is done.",
            "正在生成路网瓦片，请稍后再试。",
        ) from None
    return lock


def _point(pointer: Path, fresh: Path) -> None:
    """Let `tiles` mean the new folder, at once; a plain folder of that name goes first."""
    if pointer.is_dir() and not pointer.is_symlink():
        pointer.rename(fresh.with_name(f"{fresh.name}.before"))
    link = fresh.with_name(f"{fresh.name}.link")
    link.symlink_to(fresh.name)
    link.replace(pointer)


def _settings(tiles: Path) -> dict[str, Any]:
    """Take the wheel's own defaults, with every path, address and limit that matters here set."""
    script = routing_service.PACKAGE / "valhalla_build_config.py"
    made = subprocess.run([sys.executable, script], check=True, capture_output=True)
    settings: dict[str, Any] = json.loads(made.stdout)
    settings["mjolnir"] = {
        name: value
        for name, value in settings["mjolnir"].items()
        # Optional files that we have not; a path to nothing is a warning at every start.
        if name not in {"tile_extract", "traffic_extract", "admin", "landmarks", "timezone"}
    } | {"tile_dir": str(tiles), "concurrency": _THREADS}
    settings["additional_data"] = {}
    settings["logging"] = {"type": "std_err", "color": False}
    # costmatrix, the default choice, takes ten times as long for walking.
    settings["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    for part in ("loki", "thor", "odin"):
        settings[part]["service"] = {"proxy": f"inproc://{part}"}
    settings["httpd"]["service"] = {
        "listen": "tcp://127.0.0.1:0",
        "loopback": "inproc://loopback",
        "interrupt": "inproc://interrupt",
        "drain_seconds": 1,
        "shutdown_seconds": 1,
        "timeout_seconds": 10,
    }
    for mode in ("pedestrian", "bicycle", "auto"):
        limits = {"max_distance": _FARTHEST_M, "max_matrix_distance": _FARTHEST_M}
        settings["service_limits"][mode] |= {**limits, "max_matrix_location_pairs": 60_000}
    return settings


def _run(name: str, *arguments: str) -> None:
    try:
        subprocess.run(
            [*_NICE, routing_service.program(name), *arguments],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    except subprocess.CalledProcessError as failure:
        last = failure.stderr.strip().splitlines()[-3:]
        raise Trouble(
            f"Routing tiles could not be built: {' '.join(last)}",
            f"无法生成路网瓦片：{' '.join(last)}",
        ) from failure
