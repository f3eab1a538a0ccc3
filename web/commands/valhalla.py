"""The Valhalla routing engine: builds its tiles, and runs its service on the loopback interface.

Its programs come from the wheel that tools.lock pins. They are run, never imported: the wheel is
made for a newer Python.
"""

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import osmium

from web.commands.installation import ROOT
from web.commands.process import Program
from web.commands.trouble import Trouble

_PACKAGE = ROOT / ".tools" / "valhalla" / "valhalla"
_CONFIG = "valhalla.json"
_THREADS = 2
#: Longest journey that is answered: a city and its surroundings, not a continent.
_FARTHEST_M = 200_000


@dataclass(frozen=True, slots=True)
class Service:
    """The service on one folder of tiles."""

    config: Path
    url: str

    @classmethod
    def find(cls, folder: Path) -> "Service | None":
        """Give the service of a folder of tiles on a free port; None where there are no tiles."""
        built = folder / _CONFIG
        if not built.exists() or not _program("service").exists():
            return None
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        settings = json.loads(built.read_text())
        settings["httpd"]["service"]["listen"] = f"tcp://{address}"
        config = folder / "service.json"
        config.write_text(json.dumps(settings, indent=1))
        return cls(config, f"http://{address}")

    def program(self) -> Program:
        """Say how to run the service, with one thread."""
        return Program("valhalla", (str(_program("service")), str(self.config), "1"))

    def is_ready(self) -> bool:
        """Tell whether the service answers."""
        try:
            return httpx.get(f"{self.url}/status", timeout=2).is_success
        except httpx.HTTPError:
            return False


def build(folder: Path, *, name: str, source: Path) -> None:
    """Build the tiles anew from this city's file and those of the other cities that are here.

    A running service keeps the old tiles until it is started again. Raises Trouble.
    """
    if not _program("build_tiles").exists():
        raise Trouble(
            "The routing engine is not installed; scripts/start does that.",
            "未安装路径引擎；请运行 scripts/start。",
        )
    cities = folder / "cities"
    cities.mkdir(parents=True, exist_ok=True)
    _as_pbf(source, cities / f"{name}.osm.pbf")
    tiles, fresh = folder / "tiles", folder / "tiles.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    config = folder / _CONFIG
    config.write_text(json.dumps(_settings(fresh), indent=1))
    _run("build_tiles", "-c", str(config), *(str(path) for path in sorted(cities.glob("*.pbf"))))
    shutil.rmtree(tiles, ignore_errors=True)
    fresh.rename(tiles)
    config.write_text(json.dumps(_settings(tiles), indent=1))


def _settings(tiles: Path) -> dict[str, Any]:
    """Take the wheel's own defaults, with every path, address and limit that matters here set."""
    script = _PACKAGE / "valhalla_build_config.py"
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


def _as_pbf(source: Path, target: Path) -> None:
    if source.name.endswith(".pbf"):
        if source.resolve() != target.resolve():
            shutil.copyfile(source, target)
        return
    with osmium.SimpleWriter(target, overwrite=True) as writer:
        for thing in osmium.FileProcessor(source):
            writer.add(thing)


def _program(name: str) -> Path:
    return _PACKAGE / "bin" / f"valhalla_{name}"


def _run(name: str, *arguments: str) -> None:
    try:
        subprocess.run([_program(name), *arguments], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as failure:
        last = failure.stderr.strip().splitlines()[-3:]
        raise Trouble(
            f"Routing tiles could not be built: {' '.join(last)}",
            f"无法生成路网瓦片：{' '.join(last)}",
        ) from failure
