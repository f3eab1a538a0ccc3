"""A second opinion on every walking time: other code, the same streets, scipy's Dijkstra.

Nothing here comes from `geo/` but the type of a position. `walking_referee_map` parses the file,
nothing is contracted, places are put on streets and into buildings by shapely on a Mercator map,
and the shortest ways are scipy's.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from walking_referee_map import (
    LEAST_PART,
    SPEED_MPS,
    Parse,
    Street,
    Vertex,
    great_circle,
    mercator,
)

from geo.position import Position

WITHIN_S = 900.0


@dataclass(frozen=True)
class Standing:
    """A place on its street, and the seconds off it."""

    lon: float
    lat: float
    street: int
    share: float
    off_s: float
    house: int = -1


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
        self.open_traps()
        along, back = np.array([street.ways for street in self.streets]).T
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

    def open_traps(self) -> None:
        """A one-way street on no round trip would shut people in, or out."""
        (along, back), a, b = np.array([s.ways for s in self.streets]).T, self.a, self.b
        ahead, behind = np.append(a[along], b[back]), np.append(b[along], a[back])
        rounds = parts(self.n, ahead, behind, "strong")
        self.streets = [
            replace(street, ways=(True, True)) if is_trap else street
            for street, is_trap in zip(self.streets, rounds[a] != rounds[b], strict=True)
        ]

    def stand(self, place: Position) -> list[Standing]:
        """By each of the doors, of the smallest building; or straight."""
        point = shapely.Point(mercator(place.lon, place.lat))
        near_m = 0.05 / math.cos(math.radians(place.lat))
        houses = self.parse.houses
        around = [i for i, h in enumerate(houses) if h.shape.distance(point) <= near_m]
        house = min(around, key=lambda i: houses[i].shape.area, default=-1)
        ways = []
        for door in houses[house].doors if around else ():
            inside_s = great_circle(place.lon, place.lat, door.lon, door.lat) / SPEED_MPS
            there = self.on_street(door)
            if there is not None:
                off_s = there.off_s + inside_s
                ways.append(replace(there, lon=place.lon, lat=place.lat, off_s=off_s, house=house))
        straight = None if ways else self.on_street(place)
        return ways if straight is None else [straight]

    def on_street(self, place: Position) -> Standing | None:
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
        others: list[tuple[Position, list[Standing]]],
        *,
        inbound: bool = False,
    ) -> list[float]:
        """From the door of the one to the door of the other that are quickest together."""
        best = [math.inf] * len(others)
        sources: list[Standing | None] = [*self.stand(origin)]
        for here in sources or [None]:
            ends = [] if here is None else self.ends(here, leaving=not inbound)
            graph = self.turned if inbound else self.graph
            reached = [dijkstra(graph, indices=[v], limit=2 * WITHIN_S)[0] + s for v, s in ends]
            least = np.min(reached, axis=0) if reached else np.full(3 * self.n, math.inf)
            for number, (place, doors) in enumerate(others):
                targets: list[Standing | None] = [*doors]
                for there in targets or [None]:
                    seconds = self.time(origin, here, least, place, there, inbound=inbound)
                    best[number] = min(best[number], seconds)
        return best

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
        if here.house != there.house or (here.house < 0 and along_s > off_s):
            return float(min(ways))
        return float(min(*ways, straight_s))


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


def parts(
    n: int, a: NDArray[np.int64], b: NDArray[np.int64], how: Literal["weak", "strong"] = "weak"
) -> NDArray[np.int32]:
    links = csr_matrix((np.ones(len(a)), (a, b)), shape=(n, n))
    label: NDArray[np.int32] = connected_components(links, connection=how)[1]
    return label


def places_in(parse: Parse, rng: np.random.Generator, n: int) -> list[Position]:
    """Scatter places some 40 m round the streets' nodes, and one in twenty anywhere, at sea too."""
    nodes = np.array(list(parse.where.values()))
    near = nodes[rng.integers(0, len(nodes), n)] + rng.normal(0, 4e-4, (n, 2))
    anywhere = rng.uniform(nodes.min(axis=0), nodes.max(axis=0), (n, 2))
    chosen = np.where(np.arange(n)[:, None] % 20 == 0, anywhere, near)
    return [Position(lon, lat) for lon, lat in chosen.tolist()]
