"""Map tiles of 200,000 AEDs with their state now, beside their peers, in one run.

    .venv/bin/python bench/tiles.py [--aeds 200000] [--seconds 4] [--rounds 3] [--zooms 14,12,10,8]

Ours: `/tiles/aeds/{z}/{x}/{y}.mvt` of one process that keeps no finished tiles, so that every tile
is drawn (GOLDEN_TILE_CACHE_MB is 0); and of one as it is installed, for a tile that has not
changed, with If-None-Match and without. Beside it, on the same database: ST_AsMVT by psycopg in
eight threads, a thin FastAPI service (tile_peers.py), and tipg in an interpreter of its own:

    python3 -m venv TIPG && TIPG/bin/pip install tipg 'uvicorn[standard]'
    GOLDEN_BENCH_TIPG=TIPG/bin/python .venv/bin/python bench/tiles.py

Prints one line of JSON each. Loopback only; starts its own servers and ends only those.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import random
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

import http_load
import httpx
import psycopg
from http_load import Ask, Load, median, say
from private_system import Service, System, servers
from tile_peers import MVT

from dispatch import db, orgs
from web.commands import process

CLIENTS = 8
TILES_ASKED = 300
#: Wuhan; 60 % of the devices in the inner third.
BOX = (113.98, 30.38, 114.55, 30.78)
HOURS = ("24/7", "Mo-Fr 08:00-18:00", "Mo-Su 07:00-22:00", None, "Mo-Fr 09:00-17:00; PH off")
Tile = tuple[int, int, int]
Ways = dict[str, Callable[[], Awaitable[Load]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aeds", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--zooms", default="14,12,10,8")
    options = parser.parse_args()
    with servers() as system:
        fill(system, options.aeds)
        with (
            system.peers("tile_peers", {"DSN": system.database_url}) as thin,
            app(system, {"GOLDEN_TILE_CACHE_MB": "0"}) as drawing,
            app(system, {}) as keeping,
            tipg(system) as other,
        ):
            for zoom in map(int, options.zooms.split(",")):
                drawn(system, zoom, (thin, drawing, other), options)
            unchanged(thin, keeping, options)


# ---- the data


def place(chance: random.Random) -> tuple[float, float]:
    """Choose a place near the centre."""
    return chance.gauss(114.28, 0.08), chance.gauss(30.59, 0.06)


def tiles_of(zoom: int) -> list[Tile]:
    """List the tiles that are asked for: where the devices are dense."""
    chance, side = random.Random(5), 1 << zoom
    found = []
    for lon, lat in (place(chance) for _ in range(TILES_ASKED)):
        down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
        found.append((zoom, int((lon + 180) / 360 * side), int(down * side)))
    return found


def fill(system: System, count: int) -> None:
    """Load the registry, and the same places as the narrow table of the peers."""
    began, now = time.perf_counter(), datetime.now(UTC).isoformat()
    org_id = asyncio.run(_org(system.database_url))
    chance = random.Random(7)
    columns = "org_id, name, position, access, hours, status, source, created_at, updated_at"
    with psycopg.connect(system.database_url) as conn, conn.cursor() as cursor:
        with cursor.copy(f"copy aed ({columns}) from stdin") as copy:
            for n in range(count):
                lon, lat = place(chance)
                if n % 5 > 2:
                    lon, lat = chance.uniform(*BOX[::2]), chance.uniform(*BOX[1::2])
                where = f"SRID=4326;POINT({lon} {lat})"
                status = "in_service" if n % 10 < 7 else "out_of_service"
                hours = HOURS[n % len(HOURS)]
                copy.write_row(
                    (org_id, f"AED {n}", where, "public", hours, status, "bench", now, now)
                )
        cursor.execute(
            "create table aed_tile as select id, status, name, access,"
            " st_transform(position::geometry, 3857)::geometry(point, 3857) as geom from aed"
        )
        cursor.execute("alter table aed_tile add primary key (id)")
        cursor.execute("create index on aed_tile using gist (geom)")
    with psycopg.connect(system.database_url, autocommit=True) as conn:
        conn.execute("vacuum analyze")
    say(what="loaded", aeds=count, seconds=round(time.perf_counter() - began, 1))


async def _org(database_url: str) -> str:
    engine = db.make_engine(database_url)
    try:
        async with db.Database(engine, None).transaction() as conn:
            return str(
                await orgs.add_org(conn, None, code="b", name_zh="测试", name_en="B", level=3)
            )
    finally:
        await engine.dispose()


# ---- the services


@contextmanager
def app(system: System, environment: Mapping[str, str]) -> Iterator[Service]:
    """Run the product, and wait until it has read the registry."""
    with ExitStack() as stack:
        former = dict(os.environ)
        os.environ.update(environment)
        try:
            service = stack.enter_context(system.app())
        finally:
            os.environ.clear()
            os.environ.update(former)
        httpx.get(f"{service.url}/tiles/aeds/10/836/420.mvt", timeout=120)
        yield service


@contextmanager
def tipg(system: System) -> Iterator[Service | None]:
    """Run tipg, if its interpreter is named."""
    python = os.environ.get("GOLDEN_BENCH_TIPG")
    if not python:
        say(what="tipg", note="not measured: GOLDEN_BENCH_TIPG names no interpreter that has it")
        yield None
        return
    port = http_load.free_port()
    argv = (
        python, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--loop", "uvloop",
        "--http", "httptools", "--log-level", "error", "--no-access-log",
    )  # fmt: skip
    # Its library wants a host in the address; the folder of the socket is one.
    query = dict(parse_qsl(urlsplit(system.database_url).query))
    user = urlsplit(system.database_url).username or query.get("user", "postgres")
    host = quote(query["host"], safe="")
    environment = {"DATABASE_URL": f"postgresql://{user}:x@{host}:{query.get('port', 5432)}/bench"}
    program = process.Program("tipg", argv, environment=environment)
    child = program.spawn(subprocess.DEVNULL)
    try:
        yield _waited(child.pid, f"http://127.0.0.1:{port}")
    finally:
        program.stop(child)


def _waited(pid: int, url: str) -> Service | None:
    for _ in range(150):
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return Service(url, pid)
        except httpx.TransportError:
            time.sleep(0.2)
    say(what="tipg", note="not measured: it does not answer")
    return None


# ---- the measurements


def drawn(
    system: System,
    zoom: int,
    services: tuple[Service, Service, Service | None],
    options: argparse.Namespace,
) -> None:
    """Measure tiles that have to be drawn, each service in turn."""
    thin, ours, other = services
    tiles = tiles_of(zoom)
    ways: Ways = {
        "raw sql": lambda: _raw(system.database_url, tiles, options.seconds),
        "thin": lambda: _http(thin, "/tiles/{}/{}/{}.mvt", tiles, options),
        "ours": lambda: _http(ours, "/tiles/aeds/{}/{}/{}.mvt", tiles, options),
    }
    if other is not None:
        path = "/collections/public.aed_tile/tiles/WebMercatorQuad/{}/{}/{}"
        ways["tipg"] = lambda: _http(other, path, tiles, options)
    found = http_load.alternate(ways, rounds=options.rounds)
    for name, loads in found.items():
        report(f"z{zoom} {name}", loads, kb=round(len(loads[-1].sample) / 1e3, 1))
    speed = {name: median(loads, "per_s") for name, loads in found.items()}
    for name in sorted(speed.keys() - {"ours"}):
        ratio = round(speed["ours"] / speed[name], 2) if speed[name] else "no tile in the time"
        say(what=f"z{zoom} ours / {name}", ratio=ratio)


def unchanged(thin: Service, ours: Service, options: argparse.Namespace) -> None:
    """Measure a tile that the client, or at least the process, has already."""
    path = "/tiles/aeds/{}/{}/{}.mvt".format(*tiles_of(14)[0])
    answer = httpx.get(ours.url + path, headers={"Accept-Encoding": "identity"})
    seen = {"If-None-Match": answer.headers["etag"]}
    ways: Ways = {
        "ping": lambda: _load(thin, [Ask("/ping")], options),
        "304": lambda: _load(ours, [Ask(path, headers=seen)], options),
        "kept": lambda: _load(ours, [Ask(path)], options),
    }
    found = http_load.alternate(ways, rounds=options.rounds)
    for name, loads in found.items():
        report(f"unchanged {name}", loads)
    speed = {name: median(loads, "per_s") for name, loads in found.items()}
    for name in ("304", "kept"):
        say(what=f"unchanged {name} / ping", ratio=round(speed[name] / speed["ping"], 2))


def report(what: str, loads: Sequence[Load], **more: object) -> None:
    """Print the medians of one service."""
    figures = {name: median(loads, name) for name in ("per_s", "p50_ms", "p95_ms")}
    statuses = sorted({status for load in loads for status in load.statuses})
    say(what=what, **figures, statuses=statuses, **more)


def _http(
    service: Service, path: str, tiles: Sequence[Tile], options: argparse.Namespace
) -> Awaitable[Load]:
    return _load(service, [Ask(path.format(*tile)) for tile in tiles], options)


def _load(service: Service, asks: Sequence[Ask], options: argparse.Namespace) -> Awaitable[Load]:
    return http_load.load(service.url, asks, clients=CLIENTS, seconds=options.seconds)


async def _raw(dsn: str, tiles: Sequence[Tile], seconds: float) -> Load:
    """Ask the database with as many threads as the services have clients."""
    return await asyncio.to_thread(_threads, dsn, tiles, seconds)


def _threads(dsn: str, tiles: Sequence[Tile], seconds: float) -> Load:
    took: list[float] = []
    samples: list[bytes] = []
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn, conn.cursor(binary=True) as cursor:
            for z, x, y in itertools.cycle(tiles[number * 37 :] + tiles[: number * 37]):
                began = time.perf_counter()
                if began > end:
                    return
                row = cursor.execute(MVT, {"z": z, "x": x, "y": y}, prepare=True).fetchone()
                took.append((time.perf_counter() - began) * 1e3)
                if row and not samples:
                    samples.append(bytes(row[0]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(took, time.perf_counter() - began, {200: len(took)}, 0.0, samples[0])


if __name__ == "__main__":
    main()
