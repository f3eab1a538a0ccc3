"""The peers of bench/travel.py: Valhalla's service, pgRouting, scipy over our graph and streets."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geo import streets
from geo.position import EARTH_RADIUS_M, Position
from geo.walking import WalkingNetwork
from geo.walking_arrays import Graph
from web.commands import routing_service, valhalla
from web.commands.trouble import Trouble

SPEED_MPS = 5.1 / 3.6
READY_WITHIN_S = 20.0
METRE_DEG = 1 / np.radians(EARTH_RADIUS_M)
Case = tuple[list[Position], list[Position]]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Valhalla:
    """The peer on the loopback interface, its matrix pinned to timedistancematrix."""

    client: httpx.Client
    url: str

    def ask(self, action: str, **body: Any) -> httpx.Response:
        costing = {
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": 5.1}},
        }
        return self.client.post(f"{self.url}/{action}", json=costing | body)

    def matrix(self, sources: list[Position], targets: list[Position]) -> object:
        """A refusal counts as an answer: one place that cannot be joined fails all of it."""
        if not targets:
            return None
        asked = {"sources": as_json(sources), "targets": as_json(targets), "verbose": False}
        return self.ask("sources_to_targets", **asked).content


def as_json(places: list[Position]) -> list[dict[str, float]]:
    return [{"lon": place.lon, "lat": place.lat} for place in places]


@contextlib.contextmanager
def service(name: str, pbf: Path, folder: Path) -> Iterator[str | None]:
    """Build Valhalla's tiles and run its service, both in this run's folder."""
    try:
        valhalla.build(folder, name=name, source=pbf)
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


class Contracted:
    """scipy's Dijkstra over the contracted graph that ours walks, from one end of each target."""

    def __init__(self, network: WalkingNetwork, graph: Graph) -> None:
        self.graph, self.held = graph, network._cities[0]  # noqa: SLF001 - the peer is to start from the same junctions
        n = len(graph.out_start) - 1
        near = np.repeat(np.arange(n), np.diff(graph.out_start))
        seconds = np.maximum(graph.out_effort, 1e-3) / SPEED_MPS
        self.links = csr_matrix((seconds, (near, graph.out_node)), shape=(n, n))

    def ends(self, places: list[Position]) -> NDArray[np.int32]:
        lon, lat = np.array([[p.lon, p.lat] for p in places]).T.copy()
        return self.graph.chain_from[self.held.snap(lon, lat).chain]

    def matrix(self, case: Case, within_s: float) -> object:
        """Expand from the places of the case's second side."""
        return dijkstra(self.links, indices=self.ends(case[1]), limit=within_s)[
            :, self.ends(case[0])
        ]


class Full:
    """scipy's Dijkstra over the streets as they stand in the file, from the nearest nodes."""

    def __init__(self, pbf: Path) -> None:
        found = streets.read(pbf).streets
        self.wide = np.cos(np.radians(found.lat.mean()))
        points = np.column_stack([found.lon * self.wide, found.lat])
        self.tree = cKDTree(points)
        metres = np.hypot(*(points[found.a] - points[found.b]).T) / METRE_DEG
        seconds = np.maximum(metres * np.where(found.is_stair, 1.4, 1.0), 1e-3) / SPEED_MPS
        n = len(points)
        self.links = csr_matrix((seconds, (found.a, found.b)), shape=(n, n))

    def nodes(self, places: list[Position]) -> NDArray[np.int64]:
        nodes: NDArray[np.int64] = self.tree.query([[p.lon * self.wide, p.lat] for p in places])[1]
        return nodes

    def matrix(self, case: Case, within_s: float) -> object:
        rows = dijkstra(self.links, directed=False, indices=self.nodes(case[1]), limit=within_s)
        return rows[:, self.nodes(case[0])]


_WAYS = """
    create unlogged table ways (
        id bigserial primary key, source bigint, target bigint, cost float8,
        geom geometry(point, 4326)
    )
"""
_BOX = (
    "select id, source, target, cost, cost as reverse_cost from ways"
    " where geom && st_expand(st_setsrid(st_makepoint({lon}, {lat}), 4326), {wide})"
)


class Routing:
    """pgRouting over the contracted graph, clipped to a box round the question."""

    def __init__(self, conn: psycopg.Connection[Any], contracted: Contracted) -> None:
        self.conn, self.contracted = conn, contracted
        graph = contracted.graph
        last = graph.chain_start[1:] - 1
        middle = (graph.chain_start[:-1] + last) // 2
        effort = graph.point_length[last] + 0.4 * graph.point_stairs[last]
        conn.execute("drop table if exists ways")
        conn.execute(_WAYS)
        columns = (graph.chain_from, graph.chain_to, effort / SPEED_MPS)
        places = (graph.point_lon[middle], graph.point_lat[middle])
        with conn.cursor().copy("copy ways (source, target, cost, geom) from stdin") as copy:
            for a, b, cost, lon, lat in zip(*(c.tolist() for c in columns + places), strict=True):
                copy.write_row((a, b, cost, f"SRID=4326;POINT({lon} {lat})"))
        conn.execute("create index on ways using gist (geom)")
        conn.execute("analyze ways")

    def reach(self, origin: Position, within_s: float) -> object:
        wide = within_s * SPEED_MPS * METRE_DEG * 1.5
        inner = _BOX.format(lon=origin.lon, lat=origin.lat, wide=wide)
        start = int(self.contracted.ends([origin])[0])
        asked = "select node, agg_cost from pgr_drivingDistance(%s, %s::bigint, %s, false)"
        return self.conn.execute(asked, (inner, start, within_s)).fetchall()

    def matrix(self, case: Case) -> object:
        centre = case[1][0]
        inner = _BOX.format(lon=centre.lon, lat=centre.lat, wide=0.04)
        ends = [sorted(set(self.contracted.ends(side).tolist())) for side in case]
        asked = "select * from pgr_dijkstraCost(%s, %s::bigint[], %s::bigint[], false)"
        return self.conn.execute(asked, (inner, *ends)).fetchall()


@contextlib.contextmanager
def pgrouting(contracted: Contracted, dsn: str | None) -> Iterator[Routing | None]:
    """Load the graph into a scratch database, where there is one with pgRouting."""
    if dsn is None:
        yield None
        return
    with psycopg.connect(dsn, autocommit=True) as conn:
        try:
            conn.execute("create extension if not exists postgis")
            conn.execute("create extension if not exists pgrouting")
        except psycopg.Error as problem:
            print(str(problem).splitlines()[0], flush=True)
            yield None
            return
        yield Routing(conn, contracted)
        conn.execute("drop table ways")
