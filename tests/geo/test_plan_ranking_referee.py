"""A second opinion on every walking time: other code, the same streets, scipy's Dijkstra.

Nothing here comes from `geo/` but the answers under test. The file is parsed afresh by the rules
of docs/walking.md, nothing is contracted, places are put on streets by shapely on a Mercator map,
and the shortest ways are scipy's.
"""

import math
import os
from dataclasses import dataclass, replace
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
WALKED |= {"elevator", "trunk", "trunk_link"}
GATES = {"gate", "sliding_gate", "wicket_gate", "hampshire_gate", "door"}
GATES |= {"full-height_turnstile"}
WALLS = {"fence", "wall", "jersey_barrier", "debris"}
PRIVATE = {"private", "residents", "permit", "employees", "members"}
LIFT_S = 15.0
LEAST_PART = 500

Vertex = tuple[int, int, int, int]  # node; and way, place in the way, side for a gate or a lift


def closed(tags: dict[str, str]) -> bool:
    if "foot" in tags:
        return tags["foot"] in {"no", "military", "use_sidepath"}
    return tags.get("access") in {"no", "military"} or tags.get("motorroad") == "yes"


def private(tags: dict[str, str]) -> bool:
    return (tags["foot"] if "foot" in tags else tags.get("access", "")) in PRIVATE


def walkable(tags: dict[str, str]) -> bool:
    kind = tags.get("highway", "")
    if kind in WALKED:
        return not closed(tags)
    if kind != "busway":
        return False
    if tags.get("foot") in {"yes", "designated", "permissive", "official"}:
        return True
    return tags.get("sidewalk") in {"yes", "both", "left", "right"} and not closed(tags)


def directions(tags: dict[str, str]) -> tuple[bool, bool]:
    """Whether one walks a way along, and back."""
    oneway, belt = tags.get("oneway:foot"), tags.get("conveying")
    along = oneway != "-1" and belt != "backward" and tags.get("foot:forward") != "no"
    back = oneway not in {"yes", "true", "1"} and belt != "forward"
    return along, back and tags.get("foot:backward") != "no"


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


@dataclass(frozen=True)
class Street:
    """Between two vertices: seconds, which ways, may one stand there, may one pass through."""

    ends: tuple[Vertex, Vertex]
    seconds: float
    ways: tuple[bool, bool]
    outside: bool = False
    private: bool = False


class Parse(osmium.SimpleHandler):
    """Collect the streets between every two neighbouring nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[int, bool] = {}  # whether private
        self.lifts: set[int] = set()
        self.where: dict[Vertex, tuple[float, float]] = {}
        self.streets: list[Street] = []
        self.sides: dict[int, list[Vertex]] = {}  # of private gates

    def node(self, node: osmium.osm.Node) -> None:
        tags, barrier = dict(node.tags), node.tags.get("barrier")
        if barrier in WALLS and "foot" not in tags and "access" not in tags:
            self.gates[node.id] = False
        elif barrier in GATES | WALLS and (closed(tags) or private(tags)):
            self.gates[node.id] = not closed(tags)
        elif tags.get("highway") == "elevator" and not closed(tags):
            self.lifts.add(node.id)

    def way(self, way: osmium.osm.Way) -> None:
        tags = dict(way.tags)
        if not walkable(tags):
            return
        slow = 1.4 if tags["highway"] == "steps" else 1.0
        lift = tags["highway"] == "elevator"
        wait = LIFT_S / (len(way.nodes) - 1) if lift else 0.0
        outside = not lift and tags.get("tunnel", "no") in {"no", "building_passage"}
        known = [(n.ref, n.lon, n.lat) if n.location.valid() else None for n in way.nodes]
        for place, (a, b) in enumerate(pairwise(known)):
            if a is None or b is None or a[0] == b[0]:
                continue
            ends = self.vertex(a, way.id, place, 1), self.vertex(b, way.id, place + 1, 0)
            seconds = slow * great_circle(*a[1:], *b[1:]) / SPEED_MPS + wait
            street = Street(ends, seconds, directions(tags), outside, private(tags))
            self.streets.append(street)

    def vertex(self, node: tuple[int, float, float], way: int, place: int, side: int) -> Vertex:
        ref, lon, lat = node
        vertex = (ref, 0, 0, 0)
        if ref in self.gates:
            vertex = (ref, way, place, side)
            if self.gates[ref]:
                for other in self.sides.get(ref, []):
                    gate = Street((other, vertex), 0.0, (True, True), private=True)
                    self.streets.append(gate)
                self.sides.setdefault(ref, []).append(vertex)
        elif ref in self.lifts:
            cabin, vertex = vertex, (ref, way, place, 0)
            if vertex not in self.where:
                ride = Street((vertex, cabin), LIFT_S / 2, (True, True))
                self.streets.append(ride)
            self.where[cabin] = lon, lat
        self.where[vertex] = lon, lat
        return vertex


@dataclass(frozen=True)
class Standing:
    """A place on its street, and the seconds off it."""

    lon: float
    lat: float
    street: int
    share: float
    off_s: float


class Referee:
    """The streets three times: private ones to leave by, public ones, private ones to arrive by."""

    def __init__(self, parse: Parse) -> None:
        self.parse = parse
        self.streets = quickest(parse.streets)
        numbers = {vertex: i for i, vertex in enumerate(parse.where)}
        n = self.n = len(numbers)
        a = np.array([numbers[street.ends[0]] for street in self.streets])
        b = np.array([numbers[street.ends[1]] for street in self.streets])
        public = np.array([not street.private for street in self.streets])
        label = parts(n, a, b)
        size = np.bincount(label)
        main = parts(n, a[public], b[public])
        for part in np.unique(label):
            mains = main[a[public & (label[a] == part)]]
            largest = np.bincount(mains).argmax() if len(mains) else -1
            public &= (label[a] != part) | (main[a] == largest)
        kept = (size >= LEAST_PART) | (np.arange(len(size)) == size.argmax())
        self.label, self.a, self.b, self.public = label, a, b, public
        seconds = np.array([max(street.seconds, 1e-9) for street in self.streets])
        along = np.array([street.ways[0] for street in self.streets])
        back = np.array([street.ways[1] for street in self.streets])
        best: dict[tuple[int, int], float] = {}
        for layer, use in ((0, ~public), (1, public), (2, ~public)):
            for start, stop, ok in ((a, b, along & use), (b, a, back & use)):
                for u, v, cost in zip(
                    start[ok] + layer * n, stop[ok] + layer * n, seconds[ok], strict=True
                ):
                    best[u, v] = min(best.get((u, v), math.inf), cost)
        for i in range(2 * n):
            best[i, i + n] = 1e-9
        rows, columns = np.array(list(best)).T
        self.graph = csr_matrix((list(best.values()), (rows, columns)), shape=(3 * n, 3 * n))
        self.turned = self.graph.T.tocsr()
        places = [mercator(*parse.where[v]) for v in numbers]
        stand = [i for i, s in enumerate(self.streets) if s.outside and kept[label[a[i]]]]
        self.stands = stand
        lines = [shapely.LineString([places[a[i]], places[b[i]]]) for i in stand]
        self.tree = shapely.STRtree(lines)

    def stand(self, place: Position) -> Standing | None:
        point = shapely.Point(mercator(place.lon, place.lat))
        least = point.distance(self.tree.geometries[self.tree.nearest(point)])
        near = self.tree.query(point, "dwithin", math.sqrt(least**2 + 4e-4)).tolist()
        street = max(near, key=self.is_open)  # at a corner
        line = self.tree.geometries[street]
        off_m = point.distance(line) * math.cos(math.radians(place.lat))
        if off_m > 250:
            return None
        share = line.project(point, normalized=True)
        return Standing(place.lon, place.lat, self.stands[street], share, off_m / SPEED_MPS)

    def is_open(self, stand: int) -> bool:
        street = self.stands[stand]
        return bool(self.public[street]) and all(self.streets[street].ways)

    def ends(self, here: Standing, *, leaving: bool) -> list[tuple[int, float]]:
        """The vertices that one comes to first, or last, and the seconds between."""
        street = self.streets[here.street]
        layer = 1 if self.public[here.street] else 0 if leaving else 2
        along, back = street.ways if leaving else street.ways[::-1]
        found = []
        if along:
            found.append((self.b[here.street], (1 - here.share) * street.seconds))
        if back:
            found.append((self.a[here.street], here.share * street.seconds))
        return [(int(vertex) + layer * self.n, s + here.off_s) for vertex, s in found]

    def times(
        self,
        origin: Position,
        others: list[tuple[Position, Standing | None]],
        *,
        inbound: bool = False,
    ) -> list[float]:
        here = self.stand(origin)
        ends = [] if here is None else self.ends(here, leaving=not inbound)
        graph = self.turned if inbound else self.graph
        reached = [dijkstra(graph, indices=[v], limit=2 * WITHIN_S)[0] + s for v, s in ends]
        least = np.min(reached, axis=0) if reached else np.full(3 * self.n, math.inf)
        return [self.time(origin, here, least, *other, inbound=inbound) for other in others]

    def time(
        self,
        origin: Position,
        here: Standing | None,
        least: NDArray[np.float64],
        place: Position,
        there: Standing | None,
        *,
        inbound: bool,
    ) -> float:
        straight_s = 1.35 * great_circle(origin.lon, origin.lat, place.lon, place.lat) / SPEED_MPS
        if here is None or there is None:
            return straight_s
        if self.label[self.a[here.street]] != self.label[self.a[there.street]]:
            return straight_s
        ways = [math.inf]
        ways += [least[v] + s for v, s in self.ends(there, leaving=inbound)]
        off_s = here.off_s + there.off_s
        if here.street == there.street:
            start, stop = (there, here) if inbound else (here, there)
            street = self.streets[here.street]
            if start.share == stop.share or street.ways[0 if stop.share > start.share else 1]:
                ways.append(off_s + abs(stop.share - start.share) * street.seconds)
        along_s = min(ways) - off_s
        return float(min(*ways, straight_s) if along_s <= off_s else min(ways))


def quickest(streets: list[Street]) -> list[Street]:
    """Of parallel streets the quickest counts, each way on its own; among equals one outside."""
    found: dict[tuple[frozenset[Vertex], bool], list[Street]] = {}
    for street in streets:
        found.setdefault((frozenset(street.ends), street.private), []).append(street)
    kept = []
    for likes in found.values():
        free = set(likes[0].ends)
        for street in sorted(likes, key=lambda s: (s.seconds, not s.outside)):
            towards = [
                way and end in free for way, end in zip(street.ways, street.ends[::-1], strict=True)
            ]
            if any(towards):
                kept.append(replace(street, ways=(towards[0], towards[1])))
                free -= {end for end, to in zip(street.ends[::-1], towards, strict=True) if to}
    return kept


def parts(n: int, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int32]:
    label: NDArray[np.int32]
    links = csr_matrix((np.ones(len(a)), (a, b)), shape=(n, n))
    _, label = connected_components(links, directed=False)
    return label


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
        expected = dict(zip(at, referee.times(place, standing, inbound=True), strict=True))
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
