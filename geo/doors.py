"""Read the doors of buildings from an OpenStreetMap file: who is in one leaves by a door.

A door is a node on the outline of a `building` with `entrance` in `ENTRANCES`, or with `door` other
than no and without `entrance`. One that is shut to the public by `foot`, or else `access`, is none,
unless `emergency` opens it to helpers. Relations count like closed ways; inner yards are not in the
building, and a door to one is a door.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import osmium
from numpy.typing import NDArray

ENTRANCES = frozenset(
    {"main", "yes", "staircase", "home", "house", "service", "side", "secondary", "shop"}
)
_SHUT = frozenset({"no", "military", "private", "residents", "permit", "employees", "members"})
_FOR_HELPERS = frozenset({"yes", "designated", "official"})

_Rows = NDArray[np.float64]
_Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Doors:
    """Buildings with doors. Rows of `wall` are a longitude and latitude, and those where it ends.

    `wall_start` and `door_start` say per building, and one more, which is its first row.
    """

    wall: _Rows
    wall_start: _Indices
    door: _Rows  # longitude, latitude
    door_start: _Indices


def is_door(tags: Mapping[str, str]) -> bool:
    """Tell whether a node with these tags, on the outline of a building, is a way in."""
    kind = tags.get("entrance")
    is_one = kind in ENTRANCES if kind is not None else tags.get("door", "no") != "no"
    is_shut = tags.get("foot", tags.get("access")) in _SHUT
    return is_one and (not is_shut or tags.get("emergency") in _FOR_HELPERS)


@dataclass(slots=True)
class Collector:
    """Takes nodes, then areas, as a file brings them."""

    refs: set[int] = field(default_factory=set)
    walls: list[tuple[float, float, float, float]] = field(default_factory=list)
    doors: list[tuple[float, float]] = field(default_factory=list)
    wall_start: list[int] = field(default_factory=lambda: [0])
    door_start: list[int] = field(default_factory=lambda: [0])

    def note(self, ref: int, tags: Mapping[str, str]) -> None:
        """Remember a node that is a door if it lies on an outline."""
        if is_door(tags):
            self.refs.add(ref)

    def add(self, area: osmium.osm.Area) -> None:
        """Keep a building that has doors."""
        if not self.refs:
            return
        rings = [
            [(node.ref, node.lon, node.lat) for node in ring]
            for outer in area.outer_rings()
            for ring in (outer, *area.inner_rings(outer))
        ]
        doors = {ref: (lon, lat) for ring in rings for ref, lon, lat in ring if ref in self.refs}
        if not doors:
            return
        self.doors += doors.values()
        for ring in rings:
            self.walls += [(*a[1:], *b[1:]) for a, b in pairwise(ring) if a != b]
        self.wall_start.append(len(self.walls))
        self.door_start.append(len(self.doors))

    def found(self) -> Doors:
        """Give what was kept."""
        return Doors(
            np.array(self.walls, np.float64).reshape(-1, 4),
            np.array(self.wall_start, np.int64),
            np.array(self.doors, np.float64).reshape(-1, 2),
            np.array(self.door_start, np.int64),
        )
