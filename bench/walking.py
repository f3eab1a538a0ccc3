"""Walking times beside their peers, in one run: our network, Valhalla's matrix, scipy's Dijkstra.

    GOLDEN_TEST_DATA=… .venv/bin/python bench/walking.py [--city porto] [--origins 200]

For each city: building and loading; the 30 nearest of all places within 10 minutes on foot, by
our network and by Valhalla (both after a straight-line sieve); one bounded expansion by scipy over
the uncontracted streets; and the coverage of 10,000 points by all places at once.
Prints one line of JSON each. A peer that is not installed says "not measured". Loopback only;
ends only what it started.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from geo import streets, walking_build, walking_files
from geo.position import EARTH_RADIUS_M, Position
from geo.walking import WalkingNetwork
from geo.walking_arrays import Graph
from web.commands import routing_service, valhalla
from web.commands.trouble import Trouble

# The file, and how many places: about as dense as AEDs are where there are many of them.
CITIES = {
    "monaco": ("monaco.osm.pbf", 300),
    "porto": ("porto.osm.pbf", 3_000),
    "wuhan": ("wuhan_roads.osm.pbf", 3_000),
}
SPEED_MPS = 5.1 / 3.6
WITHIN_S = 600.0
NEAREST = 30
SIEVE = 60  # how many of the nearest by the line the matrix is asked for
READY_WITHIN_S = 20.0

T = TypeVar("T")


@dataclass(frozen=True)
class City:
    """One city with the places and origins of this run."""

    name: str
    pbf: Path
    folder: Path
    network: WalkingNetwork
    graph: Graph
    places: list[Position]
    lon_lat: NDArray[np.float64]
    origins: list[Position]

    def say(self, what: str, **figures: object) -> None:
        print(json.dumps({"city": self.name, "what": what, **figures}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--city", choices=CITIES, action="append", help="default: all three")
    parser.add_argument("--origins", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    data = os.environ.get("GOLDEN_TEST_DATA")
    if data is None:
        raise SystemExit("GOLDEN_TEST_DATA must name the folder that holds osm/monaco.osm.pbf …")
    for name in options.city or CITIES:
        with tempfile.TemporaryDirectory(prefix="walking-") as folder:
            city = prepare(name, Path(data) / "osm", Path(folder), options)
            measure(city)


def prepare(name: str, data: Path, folder: Path, options: argparse.Namespace) -> City:
    pbf, places = data / CITIES[name][0], CITIES[name][1]
    manifest = walking_build.build(pbf, folder / "walking", name)
    began = time.perf_counter()
    network = WalkingNetwork.load(folder / "walking", speed_mps=SPEED_MPS)
    load_ms = (time.perf_counter() - began) * 1e3
    began = time.perf_counter()
    network.warm_up()
    warm_s = time.perf_counter() - began
    [place] = walking_files.manifests(folder / "walking")
    graph = walking_files.load(place, manifest)
    rng = np.random.default_rng(options.seed)
    points = np.column_stack([graph.point_lon, graph.point_lat])
    near = points[rng.integers(0, len(points), places + options.origins)]
    near = near + rng.normal(0, 2e-4, near.shape)
    spots = [Position(lon, lat) for lon, lat in near.tolist()]
    city = City(
        name, pbf, folder, network, graph, spots[:places], near[:places], spots[places:]
    )  # fmt: skip
    city.say(
        "build",
        build_s=manifest.build_s,
        megabytes=round(manifest.bytes / 1e6, 1),
        street_nodes=manifest.street_nodes,
        junctions=manifest.junctions,
        chains=manifest.chains,
        dropped_nodes=manifest.dropped_nodes,
        load_ms=round(load_ms, 1),
        warm_up_s=round(warm_s, 2),
    )
    return city


def measure(city: City) -> None:
    ours = timed(city.origins, lambda origin: nearest(city, origin))
    city.say("30 nearest on foot, ours", **ours)
    sieve = timed(city.origins, lambda origin: sieved(city, origin))
    city.say("  of it: the straight-line sieve", **sieve)
    for count in (30, 100):
        city.say(f"times() of the {count} nearest by the line", **few(city, count))
    with service(city) as url:
        if url is None:
            city.say("30 nearest on foot, Valhalla matrix", ms="not measured")
        else:
            beside_valhalla(city, url, ours)
    beside_scipy(city)
    coverage(city)


def sieved(city: City, origin: Position, most: int | None = None) -> NDArray[np.int64]:
    """Sort out by the straight line who cannot be within the limit; with `most`, the nearest."""
    metre = np.radians(EARTH_RADIUS_M)
    x = (city.lon_lat[:, 0] - origin.lon) * metre * np.cos(np.radians(origin.lat))
    y = (city.lon_lat[:, 1] - origin.lat) * metre
    square = x * x + y * y
    near = np.flatnonzero(square <= (WITHIN_S * SPEED_MPS) ** 2)
    if most is not None and len(near) > most:
        near = near[np.argpartition(square[near], most)[:most]]
    return near


def few(city: City, count: int) -> dict[str, float]:
    """Time what a plan asks: the walks to so many people around."""
    metre = np.array([np.cos(np.radians(city.lon_lat[0, 1])), 1.0])
    around = {
        origin: [
            city.places[i]
            for i in np.argsort(
                (((city.lon_lat - [origin.lon, origin.lat]) * metre) ** 2).sum(axis=1)
            )[:count].tolist()
        ]
        for origin in city.origins
    }
    return timed(
        city.origins,
        lambda origin: city.network.times(origin, around[origin], within_s=WITHIN_S),
    )


def nearest(city: City, origin: Position) -> list[tuple[float, int]]:
    rows = sieved(city, origin).tolist()
    answers = city.network.times(origin, [city.places[i] for i in rows], within_s=WITHIN_S)
    found = [(a.travel_s, i) for a, i in zip(answers, rows, strict=True) if a is not None]
    return sorted(found)[:NEAREST]


def beside_valhalla(city: City, url: str, ours: Mapping[str, float]) -> None:
    with httpx.Client() as client:

        def ask(origin: Position) -> None:
            rows = sieved(city, origin, SIEVE)
            matrix(client, url, origin, [city.places[i] for i in rows])

        peer = timed(city.origins, ask)
        ratios = agreement(city, client, url)
    low, middle, high = np.percentile(ratios, [5, 50, 95]).round(3).tolist()
    city.say(
        "30 nearest on foot, Valhalla matrix",
        **peer,
        our_p50_over_its_p50=round(ours["p50_ms"] / peer["p50_ms"], 3),
        our_cpu_p99_over_its_p50=round(ours["cpu_p99_ms"] / peer["p50_ms"], 3),
        our_times_over_its={"p5": low, "p50": middle, "p95": high, "trips": len(ratios)},
    )


def agreement(city: City, client: httpx.Client, url: str) -> list[float]:
    """Divide our times by Valhalla's: trips of 1 to 30 minutes between places on streets."""
    rng = np.random.default_rng(6)
    points = np.column_stack([city.graph.point_lon, city.graph.point_lat])
    ratios: list[float] = []
    for start in points[rng.integers(0, len(points), 30)]:
        near = points[np.abs(points - start).max(axis=1) < 0.02]
        chosen = near[rng.integers(0, len(near), 40)].tolist()
        origin, targets = Position(*start.tolist()), [Position(lon, lat) for lon, lat in chosen]
        theirs = matrix(client, url, origin, targets)
        own = city.network.times(origin, targets, within_s=3600)
        for a, b in zip(own, theirs or [None] * len(own), strict=True):
            if a is not None and b is not None and 60 < b < 1800:
                ratios.append(a.travel_s / b)
    return ratios


def matrix(
    client: httpx.Client, url: str, origin: Position, targets: list[Position]
) -> list[float | None] | None:
    if not targets:
        return []
    body: dict[str, Any] = {
        "sources": [{"lon": origin.lon, "lat": origin.lat}],
        "targets": [{"lon": t.lon, "lat": t.lat} for t in targets],
        "costing": "pedestrian",
        "costing_options": {"pedestrian": {"walking_speed": 5.1}},
        "verbose": False,
    }
    response = client.post(f"{url}/sources_to_targets", json=body, timeout=30)
    if response.is_error:  # one place that cannot be joined to the others fails the whole matrix
        return None
    durations: list[float | None] = response.json()["sources_to_targets"]["durations"][0]
    return durations


def beside_scipy(city: City) -> None:
    """Expand as far over the streets as they stand in the file, one expansion for each origin."""
    found = streets.read(city.pbf)
    lon, lat = np.radians(found.lon), np.radians(found.lat)
    x, y = lon * np.cos(lat.mean()), lat
    metres = EARTH_RADIUS_M * np.hypot(x[found.a] - x[found.b], y[found.a] - y[found.b])
    seconds = metres * np.where(found.is_stair, 1.4, 1.0) / SPEED_MPS
    n = len(found.lon)
    graph = csr_matrix((np.maximum(seconds, 1e-6), (found.a, found.b)), shape=(n, n))
    starts = np.random.default_rng(1).integers(0, n, len(city.origins)).tolist()

    def ask(start: int) -> None:
        dijkstra(graph, directed=False, indices=[start], limit=WITHIN_S)

    city.say("one expansion of 10 min, scipy over all nodes", nodes=n, **timed(starts, ask))
    far = [Position(0.0, 0.0)]
    own = timed(city.origins, lambda origin: city.network.times(origin, far, within_s=WITHIN_S))
    city.say("one expansion of 10 min, ours over junctions", **own)


def coverage(city: City) -> None:
    """Ask for every point how far its nearest AED is, as the planner does."""
    rng = np.random.default_rng(9)
    points = np.column_stack([city.graph.point_lon, city.graph.point_lat])
    cells = points[rng.integers(0, len(points), 10_000)] + rng.normal(0, 3e-4, (10_000, 2))
    runs = timed(range(5), lambda _: city.network.reach(city.places, cells, 240.0))
    city.say("coverage: nearest of all places for 10,000 points, 4 min", **runs)


def timed(things: Iterable[T], work: Callable[[T], object]) -> dict[str, float]:
    """Time each piece of work by the clock, and by this thread's processor time.

    The second is what a p99 means on a machine that others use too.
    """
    took, cpu = [], []
    for thing in things:
        began, began_cpu = time.perf_counter(), time.thread_time()
        work(thing)
        cpu.append((time.thread_time() - began_cpu) * 1e3)
        took.append((time.perf_counter() - began) * 1e3)
    p50, p99 = np.percentile(took, [50, 99]).round(3).tolist()
    cpu_p99 = float(np.percentile(cpu, 99).round(3))
    return {"p50_ms": p50, "p99_ms": p99, "cpu_p99_ms": cpu_p99, "runs": len(took)}


@contextlib.contextmanager
def service(city: City) -> Iterator[str | None]:
    """Build Valhalla's tiles and run its service, both in this run's folder."""
    folder = city.folder / "valhalla"
    try:
        began = time.perf_counter()
        valhalla.build(folder, name=city.name, source=city.pbf)
        city.say("Valhalla tiles", build_s=round(time.perf_counter() - began, 2))
        found = routing_service.Service.find(folder)
    except Trouble as problem:
        print(problem.en, flush=True)
        found = None
    if found is None:
        yield None
        return
    child = subprocess.Popen(
        found.program().argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        limit = time.monotonic() + READY_WITHIN_S
        while not found.is_ready() and time.monotonic() < limit:
            time.sleep(0.05)
        yield found.url if found.is_ready() else None
    finally:
        child.terminate()
        child.wait(30)


if __name__ == "__main__":
    main()
