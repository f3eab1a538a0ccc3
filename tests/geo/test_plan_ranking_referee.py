"""A second opinion on every walking time: other code, the same streets, scipy's Dijkstra.

Nothing here comes from `geo/` but the answers under test. The file is parsed afresh by the rules
of docs/walking.md, nothing is contracted, places are put on streets by shapely on a Mercator map,
and the shortest ways are scipy's.
"""

import math
import os
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import factories
import numpy as np
import osmium
import pytest
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import planning, states
from geo import walking, walking_build
from geo.position import Position

pytestmark = pytest.mark.real_data

SEED = 20261122
INCIDENTS = 200
RESPONDERS = 150
SPEED_MPS = 5.1 / 3.6
WITHIN_S = 900.0
TIE_S = 0.1
RADIUS_M = 6_371_008.8

WALKED = {"primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"}
WALKED |= {"unclassified", "residential", "living_street", "service", "road", "track", "steps"}
WALKED |= {"pedestrian", "footway", "path", "cycleway", "bridleway", "corridor", "platform"}
WALKED |= {"elevator"}
ON_DEMAND = {"trunk", "trunk_link", "busway"}
GATES = {"gate", "sliding_gate", "wicket_gate", "hampshire_gate", "door", "fence", "wall"}
GATES |= {"full-height_turnstile"}

Vertex = tuple[int, int, int, int]  # node; and way, place in the way, side for a shut gate


def closed(tags: dict[str, str]) -> bool:
    if "foot" in tags:
        return tags["foot"] in {"no", "private", "use_sidepath"}
    return tags.get("access") in {"no", "private"}


def walkable(tags: dict[str, str]) -> bool:
    kind = tags.get("highway", "")
    if kind in WALKED:
        return not closed(tags)
    if kind not in ON_DEMAND:
        return False
    if tags.get("foot") in {"yes", "designated", "permissive", "official"}:
        return True
    return tags.get("sidewalk") in {"yes", "both", "left", "right"} and not closed(tags)


def great_circle(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Metres by the angle between two unit vectors, not by haversines."""
    a, b = unit(lon_a, lat_a), unit(lon_b, lat_b)
    across = math.dist(a, b)
    return 2 * RADIUS_M * math.asin(across / 2)


def unit(lon: float, lat: float) -> tuple[float, float, float]:
    x, y = math.radians(lon), math.radians(lat)
    return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)


def mercator(lon: float, lat: float) -> tuple[float, float]:
    y = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))
    return RADIUS_M * math.radians(lon), RADIUS_M * y


class Parse(osmium.SimpleHandler):
    """Collect the streets between every two neighbouring nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: set[int] = set()
        self.where: dict[Vertex, tuple[float, float]] = {}
        self.streets: dict[frozenset[Vertex], tuple[float, bool]] = {}  # seconds, may be stood on

    def node(self, node: osmium.osm.Node) -> None:
        tags = dict(node.tags)
        if tags.get("barrier") in GATES and closed(tags):
            self.gates.add(node.id)

    def way(self, way: osmium.osm.Way) -> None:
        tags = dict(way.tags)
        if not walkable(tags):
            return
        slow = 1.4 if tags["highway"] == "steps" else 1.0
        outside = tags.get("tunnel", "no") in {"no", "building_passage"}
        known = [(n.ref, n.lon, n.lat) if n.location.valid() else None for n in way.nodes]
        for place, (a, b) in enumerate(pairwise(known)):
            if a is None or b is None or a[0] == b[0]:
                continue
            from_ = self.vertex(a, way.id, place, 1)
            to = self.vertex(b, way.id, place + 1, 0)
            seconds = slow * great_circle(*a[1:], *b[1:]) / SPEED_MPS
            key = frozenset((from_, to))
            before = self.streets.get(key, (math.inf, False))
            # The quickest of parallel streets counts; among equals one in the open.
            self.streets[key] = max(before, (seconds, outside), key=lambda s: (-s[0], s[1]))

    def vertex(self, node: tuple[int, float, float], way: int, place: int, side: int) -> Vertex:
        ref, lon, lat = node
        vertex = (ref, way, place, side) if ref in self.gates else (ref, 0, 0, 0)
        self.where[vertex] = lon, lat
        return vertex


@dataclass(frozen=True)
class Standing:
    """A place on its street: the ends, and the seconds to each of them, way off included."""

    lon: float
    lat: float
    ends: tuple[int, int]
    share: float
    street_s: float
    off_s: float

    def seconds_to(self, end: int) -> float:
        share = self.share if end == 0 else 1 - self.share
        return self.off_s + share * self.street_s


@dataclass
class Referee:
    parse: Parse
    numbers: dict[Vertex, int] = field(init=False)
    graph: "csr_matrix[np.float64]" = field(init=False)
    streets: list[tuple[int, int, float]] = field(init=False)
    tree: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = {vertex: i for i, vertex in enumerate(self.parse.where)}
        pairs = [tuple(self.numbers[v] for v in key) for key in self.parse.streets]
        values = list(self.parse.streets.values())
        a, b = np.array(pairs).T
        seconds = np.array([s for s, _ in values])
        n = len(self.numbers)
        self.graph = csr_matrix((seconds, (a, b)), shape=(n, n))
        parts, label = connected_components(self.graph, directed=False)
        largest = np.bincount(label, minlength=parts).argmax()
        places = [mercator(*self.parse.where[v]) for v in self.numbers]
        self.streets, lines = [], []
        for (i, j), (cost, outside) in zip(pairs, values, strict=True):
            if outside and label[i] == largest:
                self.streets.append((i, j, cost))
                lines.append(shapely.LineString([places[i], places[j]]))
        self.tree = shapely.STRtree(lines)

    def stand(self, place: Position) -> Standing | None:
        point = shapely.Point(mercator(place.lon, place.lat))
        street = int(self.tree.nearest(point))
        line = self.tree.geometries[street]
        off_m = point.distance(line) * math.cos(math.radians(place.lat))
        if off_m > 250:
            return None
        i, j, cost = self.streets[street]
        share = line.project(point, normalized=True)
        return Standing(place.lon, place.lat, (i, j), share, cost, off_m / SPEED_MPS)

    def times(
        self, origin: Position, others: list[tuple[Position, Standing | None]]
    ) -> list[float]:
        here = self.stand(origin)
        reached: NDArray[np.float64] | None = None
        if here is not None:
            reached = dijkstra(
                self.graph, directed=False, indices=list(here.ends), limit=2 * WITHIN_S
            )
        return [self.time(origin, here, reached, place, there) for place, there in others]

    def time(
        self,
        origin: Position,
        here: Standing | None,
        reached: NDArray[np.float64] | None,
        place: Position,
        there: Standing | None,
    ) -> float:
        straight_s = 1.35 * great_circle(origin.lon, origin.lat, place.lon, place.lat) / SPEED_MPS
        if here is None or there is None or reached is None:
            return straight_s
        ways = [
            here.seconds_to(e) + reached[e, there.ends[f]] + there.seconds_to(f)
            for e in (0, 1)
            for f in (0, 1)
        ]
        off_s = here.off_s + there.off_s
        if here.ends == there.ends:
            ways.append(off_s + abs(here.share - there.share) * here.street_s)
        along_s = min(ways) - off_s
        return float(min(*ways, straight_s) if along_s <= off_s else min(ways))


def places_in(parse: Parse, rng: np.random.Generator, n: int) -> list[Position]:
    """Scatter places some 40 m round the streets' nodes, and one in twenty anywhere, at sea too."""
    nodes = np.array(list(parse.where.values()))
    near = nodes[rng.integers(0, len(nodes), n)] + rng.normal(0, 4e-4, (n, 2))
    anywhere = rng.uniform(nodes.min(axis=0), nodes.max(axis=0), (n, 2))
    chosen = np.where(np.arange(n)[:, None] % 20 == 0, anywhere, near)
    return [Position(lon, lat) for lon, lat in chosen.tolist()]


@dataclass(frozen=True)
class City:
    """Monaco twice: as the product holds it, and as the referee does."""

    network: walking.WalkingNetwork
    referee: Referee


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    given = os.environ.get("GOLDEN_TEST_DATA")
    if not given:
        pytest.skip("GOLDEN_TEST_DATA is not set")
    pbf, folder = Path(given) / "osm" / "monaco.osm.pbf", tmp_path_factory.mktemp("monaco")
    walking_build.build(pbf, folder, "monaco")
    parse = Parse()
    parse.apply_file(str(pbf), locations=True)
    return City(walking.WalkingNetwork.load(folder, speed_mps=SPEED_MPS), Referee(parse))


def test_walking_times_and_their_order_equal_an_independent_dijkstra(city: City) -> None:
    """200 incidents, 150 people: every time within a second, the order the same but for ties."""
    rng = np.random.default_rng(SEED)
    people = places_in(city.referee.parse, rng, RESPONDERS)
    standing = [(place, city.referee.stand(place)) for place in people]
    compared = estimates = 0
    for incident in places_in(city.referee.parse, rng, INCIDENTS):
        answers = city.network.times(incident, people, within_s=WITHIN_S)
        expected = city.referee.times(incident, standing)
        for answer, seconds in zip(answers, expected, strict=True):
            if answer is None:
                assert seconds > WITHIN_S - 1
                continue
            assert abs(answer.travel_s - seconds) <= 1.0
            compared += 1
            estimates += answer.source is walking.EtaSource.ESTIMATE
        ranked = sorted(
            (answer.travel_s, i) for i, answer in enumerate(answers) if answer is not None
        )
        # All whom the referee does not call a tie stand in the referee's order.
        for (_, earlier), (_, later) in pairwise(ranked):
            assert expected[earlier] <= expected[later] + TIE_S
    assert compared > 10_000
    assert 100 < estimates < compared / 2
    print(f"{compared} walks compared, {estimates} of them estimates")


async def test_plans_rank_people_as_an_independent_dijkstra_does(
    city: City, conn: AsyncConnection, now: datetime
) -> None:
    """The same through `planning.make`: who is chosen or left out, in which order, how far."""
    rng = np.random.default_rng(SEED + 1)
    parse, referee = city.referee.parse, city.referee
    org = await factories.make_org(conn)
    at = {
        await factories.make_responder(conn, org, position=place, now=now): place
        for place in places_in(parse, rng, RESPONDERS // 3)
    }
    standing = [(place, referee.stand(place)) for place in at.values()]
    ranked = 0
    for place in places_in(parse, rng, INCIDENTS):
        incident = await factories.make_incident(
            conn, org, kind=states.Kind.OTHER, position=place, now=now
        )
        plan = await planning.make(
            conn, incident.id, policy=factories.POLICY, network=city.network, now=now
        )
        expected = dict(zip(at, referee.times(place, standing), strict=True))
        found = {c.person.id: c.direct for c in (*plan.chosen, *plan.excluded)}
        for person, seconds in expected.items():
            walk = found.get(person)
            if walk is None:
                assert seconds > factories.POLICY.reach_s - 1
            else:
                assert abs(walk.travel_s - seconds) <= 1.0
        everyone = sorted(
            (c for c in (*plan.chosen, *plan.excluded) if c.rank is not None), key=by_rank
        )
        for earlier, later in pairwise(everyone):
            assert expected[earlier.person.id] <= expected[later.person.id] + TIE_S
        ranked += len(everyone)
    assert ranked > 2_000
    print(f"{ranked} people ranked in {INCIDENTS} plans")


def by_rank(considered: planning.Considered) -> int:
    assert considered.rank is not None
    return considered.rank
