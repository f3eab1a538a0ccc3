"""The streets, ferries and doors of a file, parsed afresh by the rules of docs/walking.md.

For `walking_referee`. Nothing here comes from `geo/` but the type of a position.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import osmium
import shapely

from geo.position import Position

SPEED_MPS = 5.1 / 3.6
RADIUS_M = 6_371_008.8

WALKED = {"primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"}
WALKED |= {"unclassified", "residential", "living_street", "service", "road", "track", "steps"}
WALKED |= {"pedestrian", "footway", "path", "cycleway", "bridleway", "corridor", "platform"}
WALKED |= {"elevator", "trunk", "trunk_link"}
WALLS = {"fence", "wall", "jersey_barrier", "debris"}
GATES = {"gate", "sliding_gate", "wicket_gate", "hampshire_gate", "door", "full-height_turnstile"}
PRIVATE = {"private", "residents", "permit", "employees", "members"}
LIFT_S, LEAST_PART = 15.0, 500
DOORS = {"main", "yes", "staircase", "home", "house", "service", "side", "secondary", "shop"}
FERRY_MPS, FERRY_WAIT_S = 10 / 3.6, 600.0

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
    return 2 * RADIUS_M * math.asin(math.dist(unit(lon_a, lat_a), unit(lon_b, lat_b)) / 2)


def unit(lon: float, lat: float) -> tuple[float, float, float]:
    x, y = math.radians(lon), math.radians(lat)
    return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)


def mercator(lon: float, lat: float) -> tuple[float, float]:
    y = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))
    return RADIUS_M * math.radians(lon), RADIUS_M * y


def degrees(point: shapely.Point) -> tuple[float, float]:
    lat = 2 * math.atan(math.exp(point.y / RADIUS_M)) - math.pi / 2
    return math.degrees(point.x / RADIUS_M), math.degrees(lat)


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
        self.doors: set[int] = set()
        self.houses: list[House] = []
        self.ferries: list[tuple[int, dict[str, str], list[tuple[int, float, float]]]] = []

    def node(self, node: osmium.osm.Node) -> None:
        tags, barrier = dict(node.tags), node.tags.get("barrier")
        is_door = tags["entrance"] in DOORS if "entrance" in tags else tags.get("door") != "no"
        is_shut = private(tags) or tags.get("foot", tags.get("access")) in {"no", "military"}
        is_open = not is_shut or tags.get("emergency") in {"yes", "designated", "official"}
        if is_door and is_open and {"entrance", "door"} & tags.keys():
            self.doors.add(node.id)
        if barrier in WALLS and "foot" not in tags and "access" not in tags:
            self.gates[node.id] = False
        elif barrier in GATES | WALLS and (closed(tags) or private(tags)):
            self.gates[node.id] = not closed(tags)
        elif tags.get("highway") == "elevator" and not closed(tags):
            self.lifts.add(node.id)

    def way(self, way: osmium.osm.Way) -> None:
        tags = dict(way.tags)
        if not walkable(tags):
            if tags.get("route") == "ferry" and not closed(tags) and not private(tags):
                nodes = [(n.ref, n.lon, n.lat) for n in way.nodes if n.location.valid()]
                self.ferries.append((way.id, tags, nodes))
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

    def area(self, area: osmium.osm.Area) -> None:
        outers = [(outer, list(area.inner_rings(outer))) for outer in area.outer_rings()]
        nodes = [n for outer, inners in outers for ring in (outer, *inners) for n in ring]
        doors = {n.ref: Position(n.lon, n.lat) for n in nodes if n.ref in self.doors}
        if "building" not in area.tags or not doors:
            return
        polygons = [
            shapely.Polygon(outline(outer), [outline(inner) for inner in inners])
            for outer, inners in outers
        ]
        self.houses.append(House(shapely.union_all(polygons), list(doors.values())))

    def launch(self) -> None:
        """Let the ferries sail, when all streets are known."""
        for way, tags, nodes in self.ferries:
            legs = [great_circle(*a[1:], *b[1:]) for a, b in pairwise(nodes)]
            sail_s = minutes_s(tags.get("duration")) or sum(legs) / FERRY_MPS
            interval_s = minutes_s(tags.get("interval"))
            board_s = interval_s / 2 if interval_s else FERRY_WAIT_S
            lands = [(ref, 0, 0, 0) for ref, *_ in nodes]
            decks = [(v[0], way, 0, 2) if v in self.where else (v[0], 0, 0, 3) for v in lands]
            for ends in zip(lands, decks, strict=True):
                if ends[0] in self.where:
                    self.streets.append(Street(ends, board_s / 2, (True, True)))
            self.where |= {d: (lon, lat) for d, (_, lon, lat) in zip(decks, nodes, strict=True)}
            ways = (True, False) if tags.get("oneway") == "yes" else directions(tags)
            for ends, leg in zip(pairwise(decks), legs, strict=True):
                self.streets.append(Street(ends, sail_s * leg / sum(legs), ways))

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
class House:
    """A building on a Mercator map, and its doors."""

    shape: shapely.Geometry
    doors: list[Position]


def outline(ring: osmium.osm.NodeRefList) -> list[tuple[float, float]]:
    return [mercator(node.lon, node.lat) for node in ring]


def minutes_s(text: str | None) -> float:
    """Read 20 or 00:20; nothing else is in the file under test."""
    hours, _, minutes = (text or "").rpartition(":")
    return 60.0 * (60 * int(hours or 0) + int(minutes or 0))


def read(path: Path) -> Parse:
    (parse := Parse()).apply_file(str(path), locations=True)
    parse.launch()
    return parse
