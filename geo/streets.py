"""Read the streets that people may walk from an OpenStreetMap file.

The rules, complete, so that another program can find the same streets in the same file
(docs/walking.md says them in prose; tests/walking_referee_map.py is that program):

1. A way is walkable when its `highway` is in `STREETS` and nothing forbids it: `foot` no, military
   or use_sidepath, or, where there is no `foot`, `access` no or military, or `motorroad` yes. A
   busway must be allowed by `foot` or `sidewalk`.
2. A way or a gate is private when `foot`, or else `access`, is in `_PRIVATE`: one may start or end
   there, never pass through.
3. One way only: `oneway:foot`, `foot:forward`, `foot:backward`, and `conveying` forward or
   backward. A plain `oneway` is for wheels.
4. A node with `barrier` in `GATES` that forbids walking by the tags of rule 1, or in `WALLS`
   without a tag that allows it, ends every way there: one may walk up to it, not through.
5. A street is the straight line between two neighbouring nodes of such a way. On `highway=steps`
   a metre takes as long as 1.4 metres elsewhere (`walking_arrays.STAIR_FACTOR`). A lift, way or
   node, takes `LIFT_S`, whoever rides it.
6. Nobody stands in a tunnel or a lift: a street with `tunnel` (other than no and
   building_passage) is walked through, yet no place is snapped to it.
7. A ferry (`geo.ferries`) sails from node to node of its way. Where such a node is also one of a
   street, there is a pier: from the street one boards, and back, half the wait each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray

from geo import doors, earth, ferries

STREETS = frozenset(
    {
        *("trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"),
        *("tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service"),
        *("road", "track", "pedestrian", "footway", "path", "steps", "cycleway", "bridleway"),
        *("corridor", "platform", "elevator"),
    }
)
STREETS_IF_ALLOWED = frozenset({"busway"})
GATES = frozenset(
    {
        *("gate", "sliding_gate", "wicket_gate", "hampshire_gate"),
        *("door", "full-height_turnstile"),
    }
)
WALLS = frozenset({"fence", "wall", "jersey_barrier", "debris"})
LIFT_S = 15.0  # doors and a ride of some floors; waiting is not counted, as at traffic lights

FORWARDS, BACKWARDS = 1, 2  # bits of `Streets.ways`

_FOOT_ALLOWED = frozenset({"yes", "designated", "permissive", "official"})
_FORBIDDEN = frozenset({"no", "military"})
_PRIVATE = frozenset({"private", "residents", "permit", "employees", "members"})
_SIDEWALKS = frozenset({"yes", "both", "left", "right"})
_OPEN_TUNNELS = frozenset({"no", "building_passage"})
_YES = frozenset({"yes", "true", "1"})


@dataclass(frozen=True, slots=True)
class Streets:
    """Nodes by index and the straight streets between them; `a` < `b`.

    `ways` says which way one may walk: 1 from a to b, 2 from b to a, 3 both. `wait_s` is time that
    passes whoever walks; on a ferry nothing else counts. `gate_node` and `gate` join nodes that
    stand in one place, on the two sides of a private gate.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    is_stair: NDArray[np.bool_]
    is_open_air: NDArray[np.bool_]
    is_ferry: NDArray[np.bool_]
    is_private: NDArray[np.bool_]
    ways: NDArray[np.uint8]
    wait_s: NDArray[np.float64]
    gate_node: NDArray[np.int64]
    gate: NDArray[np.int64]


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Tell whether a way with these tags may be walked, be it private (rules 1 and 2)."""
    kind = tags.get("highway")
    if kind in STREETS:
        return not _forbids(tags)
    if kind not in STREETS_IF_ALLOWED:
        return False
    foot = tags.get("foot")
    return foot in _FOOT_ALLOWED or (tags.get("sidewalk") in _SIDEWALKS and not _forbids(tags))


def is_private(tags: Mapping[str, str]) -> bool:
    """Tell whether one may only start or end there (rule 2)."""
    return tags.get("foot", tags.get("access")) in _PRIVATE


def ways_of(tags: Mapping[str, str]) -> int:
    """Give the bits of the directions in which a way may be walked (rule 3)."""
    oneway, belt = tags.get("oneway:foot"), tags.get("conveying")
    ways = FORWARDS | BACKWARDS
    if oneway in _YES or belt == "forward" or tags.get("foot:backward") == "no":
        ways &= FORWARDS
    if oneway == "-1" or belt == "backward" or tags.get("foot:forward") == "no":
        ways &= BACKWARDS
    return ways


def is_shut_gate(tags: Mapping[str, str]) -> bool:
    """Tell whether a node with these tags stops walkers (rule 4); a private gate stops some."""
    barrier = tags.get("barrier")
    if barrier in WALLS and "foot" not in tags and "access" not in tags:
        return True
    return barrier in GATES | WALLS and (_forbids(tags) or is_private(tags))


def _forbids(tags: Mapping[str, str]) -> bool:
    foot = tags.get("foot")
    if foot is not None:
        return foot in _FORBIDDEN or foot == "use_sidepath"
    return tags.get("access") in _FORBIDDEN or tags.get("motorroad") == "yes"


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds for walkers."""

    streets: Streets
    doors: doors.Doors


def read(path: Path) -> Found:
    """Read every walkable street of a `.osm.pbf`, `.osm` or `.osm.gz` file whose nodes come first.

    Of parallel streets between the same two nodes the quickest counts, each way on its own.
    """
    reader = _Reader()
    objects = osmium.FileProcessor(str(path)).with_areas(osmium.filter.KeyFilter("building"))
    for item in objects.with_filter(osmium.filter.KeyFilter(*_KEYS)):
        if isinstance(item, osmium.osm.Node):
            reader.note(item.id, dict(item.tags))
        elif isinstance(item, osmium.osm.Area):
            if "building" in item.tags:
                reader.entrances.add(item)
        elif isinstance(item, osmium.osm.Way) and ("highway" in item.tags or "route" in item.tags):
            tags = dict(item.tags)
            if is_walkable(tags):
                reader.add(item, tags)
            elif ferries.is_ferry(tags):
                reader.sail(item, tags)
    return Found(reader.streets(), reader.entrances.found())


_KEYS = ("highway", "barrier", "route", "entrance", "door", "building")
_TUNNEL, _STAIR, _FERRY, _WALK_PRIVATE, _WAYS = 1, 2, 4, 8, 16  # a street's kind, in bits


@dataclass(frozen=True, slots=True)
class _Ferry:
    nodes: list[tuple[int, float, float]]
    ways: int
    sailing_s: list[float]  # between each two nodes
    boarding_s: float


@dataclass(slots=True)
class _Reader:
    gate_of: dict[int, bool] = field(default_factory=dict)  # whether the shut gate is private
    lifts: dict[int, int] = field(default_factory=dict)  # the lift's own node, -1 before its first
    index_of: dict[int, int] = field(default_factory=dict)
    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # a, b, a, b, …
    kinds: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    at_gate: list[int] = field(default_factory=list)  # node, gate, node, gate, …
    ferries: list[_Ferry] = field(default_factory=list)
    entrances: doors.Collector = field(default_factory=doors.Collector)

    def note(self, ref: int, tags: Mapping[str, str]) -> None:
        """Remember a node that stops or delays who walks through it, or is a door."""
        self.entrances.note(ref, tags)
        if is_shut_gate(tags):
            self.gate_of[ref] = is_private(tags) and not _forbids(tags)
        elif tags.get("highway") == "elevator" and not _forbids(tags):
            self.lifts[ref] = -1

    def add(self, way: osmium.osm.Way, tags: Mapping[str, str]) -> None:
        is_lift = tags["highway"] == "elevator"
        is_tunnel = is_lift or tags.get("tunnel", "no") not in _OPEN_TUNNELS
        kind = _STAIR * (tags["highway"] == "steps") + _TUNNEL * is_tunnel
        kind += _WALK_PRIVATE * is_private(tags) + _WAYS * ways_of(tags)
        wait_s = LIFT_S / max(1, len(way.nodes) - 1) if is_lift else 0.0
        before = -1
        for node in way.nodes:
            ref = node.ref
            here = self.index_of.get(ref, -1)
            if here < 0:  # not seen yet, or one that each way has its own of
                location = node.location
                if not location.valid():  # beyond the edge of the extract
                    before = -1
                    continue
                here = self._index(ref, location.lon, location.lat)
            if before not in (-1, here):
                self._street(before, here, kind, wait_s)
            # Behind a shut gate the way starts afresh, at a node of its own in the same place.
            before = self._index(ref, *_place(node)) if ref in self.gate_of else here

    def sail(self, way: osmium.osm.Way, tags: Mapping[str, str]) -> None:
        """Remember a ferry until all streets are known; one that leaves the extract sails on."""
        nodes = [(n.ref, n.location.lon, n.location.lat) for n in way.nodes if n.location.valid()]
        metres = [earth.great_circle_m(*a[1:], *b[1:]) for a, b in pairwise(nodes)]
        whole_m = sum(metres)
        if whole_m == 0.0:
            return
        per_metre_s = ferries.sailing_s(tags, whole_m) / whole_m
        ways = ways_of(tags) & (FORWARDS if tags.get("oneway") in _YES else FORWARDS | BACKWARDS)
        sailing_s = [per_metre_s * part for part in metres]
        self.ferries.append(_Ferry(nodes, ways, sailing_s, ferries.boarding_s(tags)))

    def _launch(self) -> None:
        """Let the ferries sail; lines that meet on the water are one, at a pier one boards anew."""
        at_sea: dict[int, int] = {}
        for ferry in self.ferries:
            stops = list(self._stops(ferry, at_sea))
            for (a, b), wait_s in zip(pairwise(stops), ferry.sailing_s, strict=True):
                if a != b:
                    self._street(a, b, _TUNNEL + _FERRY + _WAYS * ferry.ways, wait_s)

    def _stops(self, ferry: _Ferry, at_sea: dict[int, int]) -> Iterator[int]:
        for ref, lon, lat in ferry.nodes:
            land = self.index_of.get(ref, -1)
            if land < 0 and ref in at_sea:
                yield at_sea[ref]
                continue
            deck = at_sea[ref] = self._new_node(lon, lat)
            if land >= 0:
                kind = _TUNNEL + _FERRY + _WAYS * (FORWARDS | BACKWARDS)
                self._street(land, deck, kind, ferry.boarding_s / 2)
            yield deck

    def _street(self, a: int, b: int, kind: int, wait_s: float) -> None:
        self.ends += (a, b)
        self.kinds.append(kind)
        self.waits.append(wait_s)

    def _index(self, ref: int, lon: float, lat: float) -> int:
        """Number a node that has no number yet, or has one for each way."""
        if ref in self.gate_of:
            here = self._new_node(lon, lat)
            if self.gate_of[ref]:
                self.at_gate += (here, ref)
            return here
        if ref in self.lifts:
            return self._at_lift(ref, lon, lat)
        here = self.index_of[ref] = self._new_node(lon, lat)
        return here

    def _at_lift(self, ref: int, lon: float, lat: float) -> int:
        """Give a way its own stop of a lift, half a ride from the cabin."""
        if self.lifts[ref] < 0:
            self.lifts[ref] = self._new_node(lon, lat)
        here = self._new_node(lon, lat)
        self._street(here, self.lifts[ref], _TUNNEL + _WAYS * (FORWARDS | BACKWARDS), LIFT_S / 2)
        return here

    def _new_node(self, lon: float, lat: float) -> int:
        self.lon.append(lon)
        self.lat.append(lat)
        return len(self.lon) - 1

    def streets(self) -> Streets:
        self._launch()
        pairs = np.array(self.ends, np.int64).reshape(-1, 2)
        kind, wait_s = np.array(self.kinds, np.int64), np.array(self.waits)
        ways = kind // _WAYS
        is_turned = pairs[:, 0] > pairs[:, 1]
        ways[is_turned] = np.array([0, 2, 1, 3])[ways[is_turned]]
        pairs.sort(axis=1)
        private = kind & _WALK_PRIVATE
        keys = (kind % _WALK_PRIVATE, wait_s, private, pairs[:, 1], pairs[:, 0])
        order = np.lexsort(keys)
        kept = _quickest(np.column_stack([pairs, private])[order], ways[order])
        order, ways = order[kept > 0], kept[kept > 0]
        gates = np.array(self.at_gate, np.int64).reshape(-1, 2)
        return Streets(
            lon=np.array(self.lon),
            lat=np.array(self.lat),
            a=pairs[order, 0],
            b=pairs[order, 1],
            is_stair=kind[order] & _STAIR > 0,
            is_open_air=kind[order] & _TUNNEL == 0,
            is_ferry=kind[order] & _FERRY > 0,
            is_private=private[order] > 0,
            ways=ways.astype(np.uint8),
            wait_s=wait_s[order],
            gate_node=gates[:, 0],
            gate=gates[:, 1],
        )


def _place(node: osmium.osm.NodeRef) -> tuple[float, float]:
    return node.location.lon, node.location.lat


def _quickest(pairs: NDArray[np.int64], ways: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave each direction to the first of parallel streets, which lie side by side; 0 is none."""
    kept = ways.copy()
    before = np.zeros(len(pairs), np.bool_)
    before[1:] = (pairs[1:] == pairs[:-1]).all(axis=1)
    for row in np.flatnonzero(before).tolist():  # few
        first = row - 1
        while before[first]:
            first -= 1
        taken = int(np.bitwise_or.reduce(kept[first:row]))
        kept[row] &= ~taken
    return kept
