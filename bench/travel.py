"""Walking times beside their peers, in one run: our network, Valhalla, scipy, pgRouting, the line.

    GOLDEN_TEST_DATA=… .venv/bin/python bench/travel.py [--city porto] [--origins 200] [--rounds 5]
        [--dsn postgresql://…  a scratch database that may have postgis and pgrouting]
        [--import-dsn postgresql://…  an empty database that is migrated: measures the import]

For each city: the 30 nearest of all places within 10 and 15 minutes on foot; the matrix of
500 x 200 places within 15 minutes, all within 1.5 km of a dense centre; the coverage of 10,000
points by all places; areas. Peers take turns with ours, medians and ratios are printed with the
goal beside them, one line of JSON each. What is not installed is "not measured". Loopback only;
ends only what it started.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import osmium
from numpy.typing import NDArray
from travel_peers import (
    METRE_DEG,
    SPEED_MPS,
    Contracted,
    Full,
    Routing,
    Valhalla,
    pgrouting,
    service,
)

from geo import walking_build, walking_files
from geo.position import Position, distance_m
from geo.walking import WalkingNetwork
from geo.walking_arrays import Graph
from web.commands import valhalla

# The file, and how many places: about as dense as AEDs are where there are many of them.
CITIES = {
    "monaco": ("monaco.osm.pbf", 300),
    "porto": ("porto.osm.pbf", 3_000),
    "wuhan": ("wuhan_roads.osm.pbf", 3_000),
}
NEAREST = 30
SIEVE = 60  # how many of the nearest by the line a matrix is asked for
SOURCES, TARGETS, MATRIX_S = 500, 200, 900.0
REFERENCE_S = 1800.0  # how far the method of reference lets scipy go
AS_REFERENCE = "scipy, our graph, within 30 min as in the reference"
AROUND_M = 1_500.0

Work = Callable[[Any], object]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class City:
    """One city with the places, origins and matrices of this run."""

    name: str
    pbf: Path
    folder: Path
    network: WalkingNetwork
    graph: Graph
    places: list[Position]
    lon_lat: Points
    origins: list[Position]
    cases: list[tuple[list[Position], list[Position]]]

    def say(self, what: str, **figures: object) -> None:
        print(json.dumps({"city": self.name, "what": what, **figures}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--city", choices=CITIES, action="append", help="default: all three")
    parser.add_argument("--origins", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5, help="of matrices")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--dsn", help="a scratch database for pgRouting")
    parser.add_argument("--import-dsn", help="an empty database for the import")
    options = parser.parse_args()
    data = os.environ.get("GOLDEN_TEST_DATA")
    if data is None:
        raise SystemExit("GOLDEN_TEST_DATA must name the folder that holds osm/monaco.osm.pbf …")
    for name in options.city or CITIES:
        with tempfile.TemporaryDirectory(prefix="travel-") as folder:
            city = prepare(name, Path(data) / "osm", Path(folder), options)
            contracted = Contracted(city.network, city.graph)
            with contextlib.ExitStack() as stack:
                url = stack.enter_context(service(city.name, city.pbf, city.folder / "valhalla"))
                client = stack.enter_context(httpx.Client(timeout=120))
                routing = stack.enter_context(pgrouting(contracted, options.dsn))
                peer = None if url is None else Valhalla(client, url)
                nearest_of_all(city, peer, routing)
                matrices(city, peer, routing, contracted)
                areas(city, peer)
            coverage(city)
            if options.import_dsn:
                imports(city, options.import_dsn)


def prepare(name: str, data: Path, folder: Path, options: argparse.Namespace) -> City:
    pbf, places = data / CITIES[name][0], CITIES[name][1]
    manifest = walking_build.build(pbf, folder / "walking", name)
    network = WalkingNetwork.load(folder / "walking", speed_mps=SPEED_MPS)
    network.warm_up()
    [place] = walking_files.manifests(folder / "walking")
    graph = walking_files.load(place, manifest)
    rng = np.random.default_rng(options.seed)
    points = np.column_stack([graph.point_lon, graph.point_lat])
    near = points[rng.integers(0, len(points), places + options.origins)]
    near = near + rng.normal(0, 1.5e-4, near.shape)
    spots = [Position(lon, lat) for lon, lat in near.tolist()]
    # Places are put on their streets once, as those of the peers that hold their own are.
    network.times(spots[-1], spots[:places], within_s=60.0)
    cases = [case(points, rng) for _ in range(options.rounds)]
    city = City(
        name, pbf, folder, network, graph, spots[:places], near[:places], spots[places:], cases
    )
    figures = ("build_s", "street_nodes", "junctions", "chains", "parts", "dropped_nodes")
    megabytes = round(manifest.bytes / 1e6, 1)
    city.say("build", megabytes=megabytes, **{key: getattr(manifest, key) for key in figures})
    return city


def case(points: Points, rng: np.random.Generator) -> tuple[list[Position], list[Position]]:
    """Lay out sources and targets round a centre where streets are dense."""
    metre = np.array([np.cos(np.radians(points[0, 1])), 1.0]) / METRE_DEG

    def around(place: Points) -> Points:
        near: Points = points[(((points - place) * metre) ** 2).sum(axis=1) < AROUND_M**2]
        return near

    pools = [around(place) for place in points[rng.integers(0, len(points), 12)]]
    pool = sorted(pools, key=len)[8]
    chosen = pool[rng.integers(0, len(pool), SOURCES + TARGETS)]
    spots = [Position(*p) for p in (chosen + rng.normal(0, 1.5e-4, chosen.shape)).tolist()]
    return spots[:SOURCES], spots[SOURCES:]


def race(things: list[Any], works: dict[str, Work]) -> dict[str, dict[str, float]]:
    """Let the works take turns over the same things; milliseconds of each.

    Processor time of this thread beside the clock: on a machine that others use too, it is what
    a p99 of work in this process means.
    """
    clock: dict[str, list[float]] = {name: [] for name in works}
    cpu: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work(things[0])  # first calls fill caches
    for thing in things:
        for name, work in works.items():
            began, began_cpu = time.perf_counter(), time.thread_time()
            work(thing)
            cpu[name].append((time.thread_time() - began_cpu) * 1e3)
            clock[name].append((time.perf_counter() - began) * 1e3)
    return {
        name: {
            "p50_ms": round(float(np.percentile(took, 50)), 3),
            "p99_ms": round(float(np.percentile(took, 99)), 3),
            "cpu_p99_ms": round(float(np.percentile(cpu[name], 99)), 3),
            "runs": len(took),
        }
        for name, took in clock.items()
    }


def tell(
    city: City, what: str, found: dict[str, dict[str, float]], goals: dict[str, float]
) -> None:
    """Print every line, and ours over each peer with the goal for it."""
    for name, figures in found.items():
        city.say(f"{what}: {name}", **figures)
    for peer, goal in goals.items():
        if peer not in found:
            city.say(f"{what}: {peer}", ms="not measured")
            continue
        ratio = found["ours"]["p50_ms"] / found[peer]["p50_ms"]
        city.say(f"{what}: ours over {peer}", ratio=round(ratio, 4), goal=goal, ok=ratio <= goal)


def sieved(city: City, origin: Position, within_m: float, most: int | None) -> list[Position]:
    """Sort out by the straight line who cannot be within; with `most`, only the nearest."""
    x = (city.lon_lat[:, 0] - origin.lon) / METRE_DEG * np.cos(np.radians(origin.lat))
    y = (city.lon_lat[:, 1] - origin.lat) / METRE_DEG
    square = x * x + y * y
    near = np.flatnonzero(square <= within_m**2)
    if most is not None and len(near) > most:
        near = near[np.argpartition(square[near], most)[:most]]
    return [city.places[i] for i in near.tolist()]


def first_of(city: City, origin: Position, within_s: float) -> list[float]:
    """Find the nearest exactly: no walk is shorter than the line, so a few nearest by it do."""
    for most in (4 * NEAREST, None):
        near = sieved(city, origin, within_s * SPEED_MPS, most)
        walks = city.network.times(origin, near, within_s=within_s)
        best = sorted(walk.travel_s for walk in walks if walk is not None)[:NEAREST]
        if most is None or len(near) < most:
            return best
        farthest_m = max(distance_m(origin, place) for place in near)
        if len(best) == NEAREST and best[-1] <= farthest_m / SPEED_MPS:
            return best
    return []


def nearest_of_all(city: City, peer: Valhalla | None, routing: Routing | None) -> None:
    for within_s in (600.0, 900.0):
        reach_m = within_s * SPEED_MPS

        def ours(origin: Position, within_s: float = within_s) -> object:
            return first_of(city, origin, within_s)

        def line(origin: Position, reach_m: float = reach_m) -> object:
            return sieved(city, origin, reach_m, NEAREST)

        works: dict[str, Work] = {"ours": ours, "straight line": line}
        if peer is not None:
            works["Valhalla"] = lambda o, m=reach_m: peer.matrix([o], sieved(city, o, m, SIEVE))
        if routing is not None:
            works["pgRouting"] = lambda o, s=within_s: routing.reach(o, s)
        found = race(city.origins, works)
        found["ours"]["p99_goal_ms"] = 1.0
        tell(
            city,
            f"{NEAREST} nearest within {within_s / 60:.0f} min",
            found,
            {"Valhalla": 0.1},
        )


def matrices(
    city: City, peer: Valhalla | None, routing: Routing | None, contracted: Contracted
) -> None:
    full = Full(city.pbf)
    works: dict[str, Work] = {
        "ours": lambda c: city.network.matrix(*c, within_s=MATRIX_S),
        "ours, one thread": lambda c: city.network.matrix(*c, within_s=MATRIX_S, threads=1),
        AS_REFERENCE: lambda c: contracted.matrix(c, REFERENCE_S),
        "scipy, our graph": lambda c: contracted.matrix(c, MATRIX_S),
        "scipy, our graph, from the larger side": lambda c: contracted.matrix(c[::-1], MATRIX_S),
        "scipy, streets as in the file": lambda c: full.matrix(c, MATRIX_S),
    }
    if peer is not None:
        half = SOURCES // 2  # the service is told to answer 60,000 pairs at most
        works["Valhalla"] = lambda c: [
            peer.matrix(c[0][:half], c[1]),
            peer.matrix(c[0][half:], c[1]),
        ]
    if routing is not None:
        works["pgRouting"] = routing.matrix
    goals = {"Valhalla": 0.03, AS_REFERENCE: 0.1, "scipy, our graph": 0.1}
    goals |= {"scipy, streets as in the file": 0.1}
    goals |= {"OSRM": 0.15}
    found = race(city.cases, works)
    tell(city, f"matrix {SOURCES} x {TARGETS} within 15 min", found, goals)


def areas(city: City, peer: Valhalla | None) -> None:
    works: dict[str, Work] = {"ours": lambda o: city.network.isochrone(o, [240.0, 480.0])}
    if peer is not None:
        contours = [{"time": 4}, {"time": 8}]
        works["Valhalla"] = lambda o: peer.ask(
            "isochrone", locations=[{"lon": o.lon, "lat": o.lat}], contours=contours, polygons=True
        )
    for name, figures in race(city.origins[:30], works).items():
        city.say(f"area of 4 and 8 min: {name}", **figures)


def coverage(city: City) -> None:
    """Ask for every point how far its nearest AED is, as the planner does."""
    rng = np.random.default_rng(9)
    points = np.column_stack([city.graph.point_lon, city.graph.point_lat])
    cells = points[rng.integers(0, len(points), 10_000)] + rng.normal(0, 3e-4, (10_000, 2))
    ours: dict[str, Work] = {"ours": lambda _: city.network.reach(city.places, cells, 240.0)}
    for figures in race(list(range(5)), ours).values():
        city.say("coverage: nearest of all places for 10,000 points, 4 min", **figures)


def imports(city: City, dsn: str) -> None:
    """Import the city by the program's own command, cold; beside it a plain read and tiles."""
    began = time.perf_counter()
    for _ in osmium.FileProcessor(city.pbf).with_areas():
        pass
    read_s = time.perf_counter() - began
    began = time.perf_counter()
    valhalla.build(city.folder / "again", name=city.name, source=city.pbf)
    tiles_s = time.perf_counter() - began
    environment = {
        **os.environ,
        "GOLDEN_DATABASE_URL": dsn,
        "GOLDEN_DATA_DIR": str(city.folder / "data"),
    }
    golden = [sys.executable, "-m", "web.commands"]
    subprocess.run([*golden, "migrate"], check=True, env=environment, capture_output=True)
    began = time.perf_counter()
    command = [*golden, "import", "osm", str(city.pbf), "--name", city.name, "--json"]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    took_s = time.perf_counter() - began
    if done.returncode:
        city.say("golden import osm, cold", s="not measured", why=done.stderr[-300:])
        return
    city.say(
        "golden import osm, cold",
        s=round(took_s, 2),
        pyosmium_read_s=round(read_s, 2),
        valhalla_build_s=round(tiles_s, 2),
        ratio=round(took_s / (read_s + tiles_s), 3),
        goal=2.0,
        ok=took_s <= 2 * (read_s + tiles_s),
    )


if __name__ == "__main__":
    main()
