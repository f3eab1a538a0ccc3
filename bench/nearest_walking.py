"""The 30 nearest on foot within 10 minutes, on Porto's streets; part of bench/nearest.py."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import http_load
import httpx
import numpy as np
import private_system
from http_load import Ask, median, say
from numpy.typing import NDArray

from dispatch import db
from geo import nearest, nearest_records, walking, walking_build, walking_files
from geo.position import Position
from web.commands import routing_service, valhalla
from web.commands.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

AEDS, ORIGINS = 3_000, 500
WITHIN_S, NEAREST, SIEVE = 600, 30, 60
SPEED_MPS = 1.4167


def main(
    options: argparse.Namespace, fill: Callable[..., str], to_first: Callable[..., None]
) -> None:
    """Measure over HTTP beside /ping, and in the process beside Valhalla's matrix."""
    data = os.environ.get("GOLDEN_TEST_DATA")
    if data is None:
        raise SystemExit("GOLDEN_TEST_DATA must name the folder that holds osm/porto.osm.pbf")
    pbf = Path(data) / "osm" / "porto.osm.pbf"
    with private_system.servers() as system:
        folder = system.home / "data"
        streets = folder / "routing" / "walking"
        walking_build.build(pbf, streets, "porto")
        places, origins = spots(streets)
        token = fill(system, places, np.ones(len(places), bool))
        with (
            system.peers("nearest_peers", {"DSN": system.database_url}) as thin,
            system.app(folder=folder) as ours,
        ):
            headers = {"Authorization": f"Bearer {token}"}
            asks = [
                Ask(f"/api/v1/nearest/aeds?lon={x}&lat={y}&limit={NEAREST}&within_s={WITHIN_S}")
                for x, y in origins
            ]
            to_first(ours, asks[0], headers)
            http_load.run(http_load.once(ours.url, asks, headers=headers))
            found = http_load.alternate(
                {
                    "ours": lambda: http_load.load(
                        ours.url, asks, clients=1, seconds=options.seconds, headers=headers
                    ),
                    "ping": lambda: http_load.load(
                        thin.url, [Ask("/ping")], clients=1, seconds=options.seconds
                    ),
                },
                rounds=options.rounds,
            )
        for name, loads in found.items():
            say(
                what=f"{name}, walking",
                p50_ms=median(loads, "p50_ms"),
                p99_ms=median(loads, "p99_ms"),
            )
        more = median(found["ours"], "p50_ms") - median(found["ping"], "p50_ms")
        say(what="endpoint p50 over ping", ms=round(more, 3), goal="<= 1")
        inside = asyncio.run(in_process(system, streets, origins))
        say(what="in the process", **inside, goal="p99 <= 1 ms")
        beside_valhalla(pbf, folder / "valhalla", places, origins, inside["p50_ms"])


def spots(folder: Path) -> tuple[NDArray[np.float64], list[tuple[float, float]]]:
    """Scatter devices and origins some 20 m round the streets."""
    [(city, manifest)] = walking_files.manifests(folder).items()
    graph = walking_files.load(city, manifest)
    rng = np.random.default_rng(4)
    points = np.column_stack([graph.point_lon, graph.point_lat])
    near = points[rng.integers(0, len(points), AEDS + ORIGINS)]
    near = (near + rng.normal(0, 2e-4, near.shape)).round(6)
    return near[:AEDS], [(x, y) for x, y in near[AEDS:].tolist()]


async def in_process(
    system: private_system.System, folder: Path, origins: list[tuple[float, float]]
) -> dict[str, float]:
    """Time the function that the route calls, by the clock and by this thread's processor time."""
    network = walking.WalkingNetwork.load(folder, speed_mps=SPEED_MPS)
    await asyncio.to_thread(network.warm_up)
    pool = db.make_engine(system.database_url)
    records = nearest_records.Records(system.database_url)
    await records.open()
    engine = nearest.Engine(db.Database(pool, None).snapshot, records)
    await engine.start()
    await engine.index.settle()
    took: list[float] = []
    cpu: list[float] = []
    found = 0
    for turn in range(3):
        for origin in origins:
            began, began_cpu = time.perf_counter(), time.thread_time()
            near = await engine.find(
                network, Position(*origin), within_s=WITHIN_S, limit=NEAREST, at=datetime.now(UTC)
            )
            if turn:  # the first time the records are read
                cpu.append((time.thread_time() - began_cpu) * 1e3)
                took.append((time.perf_counter() - began) * 1e3)
                found += len(near)
    await engine.index.stop()
    await records.close()
    await pool.dispose()
    return {
        "p50_ms": round(http_load.percentile(took, 50), 3),
        "p99_ms": round(http_load.percentile(took, 99), 3),
        "cpu_p99_ms": round(http_load.percentile(cpu, 99), 3),
        "found": round(found / len(took), 1),
    }


def beside_valhalla(
    pbf: Path,
    folder: Path,
    places: NDArray[np.float64],
    origins: list[tuple[float, float]],
    ours_ms: float,
) -> None:
    """Ask Valhalla's matrix for the 60 nearest by the line, as an engine would be used."""
    try:
        valhalla.build(folder, name="porto", source=pbf)
        service = routing_service.Service.find(folder)
    except Trouble as problem:
        say(what="Valhalla", ms="not measured", why=problem.en)
        return
    if service is None:
        say(what="Valhalla", ms="not measured")
        return
    child = service.program().spawn()
    try:
        limit = time.monotonic() + 30
        while not service.is_ready() and time.monotonic() < limit:
            time.sleep(0.05)
        took = []
        with httpx.Client(base_url=service.url, timeout=30) as client:
            for lon, lat in origins[:200]:
                began = time.perf_counter()
                away = ((places - [lon, lat]) * [np.cos(np.radians(lat)), 1]) ** 2
                rows = np.argsort(away.sum(axis=1))[:SIEVE]
                body = matrix((lon, lat), places[rows])
                client.post("/sources_to_targets", content=body)
                took.append((time.perf_counter() - began) * 1e3)
        p50 = http_load.percentile(took, 50)
        say(what="Valhalla matrix to the 60 nearest by the line", p50_ms=round(p50, 2))
        say(what="in-process p50 over Valhalla's", ratio=round(ours_ms / p50, 3), goal="<= 0.1")
    finally:
        child.terminate()
        child.wait(30)


def matrix(origin: tuple[float, float], targets: NDArray[np.float64]) -> bytes:
    """Write what the matrix is asked."""
    return json.dumps(
        {
            "sources": [{"lon": origin[0], "lat": origin[1]}],
            "targets": [{"lon": lon, "lat": lat} for lon, lat in targets.tolist()],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": 5.1}},
            "verbose": False,
        }
    ).encode()
