"""Read the streets that people may walk from an OpenStreetMap file.

The rules, complete, so that another program can find the same streets in the same file
(docs/walking.md says them in prose; tests/geo/test_plan_ranking_referee.py is that program):

1. A way is walkable when its `highway` is in `STREETS`, or in `STREETS_IF_ALLOWED` and its `foot`
   or `sidewalk` allows it; and nothing forbids it: `foot` no, private or use_sidepath, or, where
   there is no `foot`, `access` no or private. Ferries have no `highway` and are no streets.
   One-way rules do not count: walking is symmetric.
2. A node with `barrier` in `GATES` that forbids walking by the same two tags ends every way there:
   one may walk up to it from each side, not through.
3. A street is the straight line between two neighbouring nodes of such a way. On `highway=steps`
   a metre takes as long as 1.4 metres elsewhere (`walking_kernel.STAIR_FACTOR`).
4. Nobody stands in a tunnel: a street with `tunnel` (other than no and building_passage) is walked
   through, yet no place is snapped to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray

STREETS = frozenset(
    {
        *("primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"),
        *("unclassified", "residential", "living_street", "service", "road", "track"),
        *("pedestrian", "footway", "path", "steps", "cycleway", "bridleway"),
        *("corridor", "platform", "elevator"),
    }
)
STREETS_IF_ALLOWED = frozenset({"trunk", "trunk_link", "busway"})
GATES = frozenset(
    {
        *("gate", "sliding_gate", "wicket_gate", "hampshire_gate"),
        *("door", "full-height_turnstile", "fence", "wall"),
    }
)
_FOOT_ALLOWED = frozenset({"yes", "designated", "permissive", "official"})
_FOOT_FORBIDDEN = frozenset({"no", "private", "use_sidepath"})
_ACCESS_FORBIDDEN = frozenset({"no", "private"})
_SIDEWALKS = frozenset({"yes", "both", "left", "right"})
_OPEN_TUNNELS = frozenset({"no", "building_passage"})


@dataclass(frozen=True, slots=True)
class Streets:
    """Nodes by index and the straight streets between them; `a` < `b`, no pair twice."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    is_stair: NDArray[np.bool_]
    is_open_air: NDArray[np.bool_]


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Tell whether a way with these tags may be walked (rule 1)."""
    kind = tags.get("highway")
    if kind in STREETS:
        return not _forbids(tags)
    if kind not in STREETS_IF_ALLOWED:
        return False
    foot = tags.get("foot")
    return foot in _FOOT_ALLOWED or (tags.get("sidewalk") in _SIDEWALKS and not _forbids(tags))


def is_shut_gate(tags: Mapping[str, str]) -> bool:
    """Tell whether a node with these tags stops walkers (rule 2)."""
    return tags.get("barrier") in GATES and _forbids(tags)


def _forbids(tags: Mapping[str, str]) -> bool:
    foot = tags.get("foot")
    if foot is not None:
        return foot in _FOOT_FORBIDDEN
    return tags.get("access") in _ACCESS_FORBIDDEN


def read(path: Path) -> Streets:
    """Read every walkable street of a `.osm.pbf`, `.osm` or `.osm.gz` file whose nodes come first.

    Of parallel streets between the same two nodes a level one wins over stairs.
    """
    reader = _Reader()
    objects = osmium.FileProcessor(str(path)).with_locations()
    for item in objects.with_filter(osmium.filter.KeyFilter("highway", "barrier")):
        if isinstance(item, osmium.osm.Node):
            if is_shut_gate(dict(item.tags)):
                reader.shut_gates.add(item.id)
        elif isinstance(item, osmium.osm.Way) and is_walkable(tags := dict(item.tags)):
            reader.add(item, tags)
    return reader.streets()


@dataclass(slots=True)
class _Reader:
    shut_gates: set[int] = field(default_factory=set)
    index_of: dict[int, int] = field(default_factory=dict)
    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # a, b, a, b, …
    kinds: list[int] = field(default_factory=list)  # 2 stair + 1 tunnel

    def add(self, way: osmium.osm.Way, tags: Mapping[str, str]) -> None:
        is_tunnel = tags.get("tunnel", "no") not in _OPEN_TUNNELS
        kind = 2 * (tags["highway"] == "steps") + is_tunnel
        before = -1
        for node in way.nodes:
            location = node.location
            if not location.valid():  # beyond the edge of the extract
                before = -1
                continue
            here = self._index(node.ref, location.lon, location.lat)
            if before not in (-1, here):
                self.ends += (before, here)
                self.kinds.append(kind)
            # Behind a shut gate the way starts afresh, at a node of its own in the same place.
            is_shut = node.ref in self.shut_gates
            before = self._new_node(location.lon, location.lat) if is_shut else here

    def _index(self, ref: int, lon: float, lat: float) -> int:
        if ref in self.shut_gates:
            return self._new_node(lon, lat)
        here = self.index_of.get(ref)
        if here is None:
            here = self.index_of[ref] = self._new_node(lon, lat)
        return here

    def _new_node(self, lon: float, lat: float) -> int:
        self.lon.append(lon)
        self.lat.append(lat)
        return len(self.lon) - 1

    def streets(self) -> Streets:
        pairs = np.array(self.ends, np.int64).reshape(-1, 2)
        pairs.sort(axis=1)
        kind = np.array(self.kinds, np.int64)
        # The first of each pair stays: level before stairs, open air before tunnel.
        order = np.lexsort((kind, pairs[:, 1], pairs[:, 0]))
        pairs, kind = pairs[order], kind[order]
        is_first = np.ones(len(pairs), np.bool_)
        is_first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
        pairs, kind = pairs[is_first], kind[is_first]
        return Streets(
            lon=np.array(self.lon),
            lat=np.array(self.lat),
            a=pairs[:, 0],
            b=pairs[:, 1],
            is_stair=kind >= 2,
            is_open_air=kind % 2 == 0,
        )
