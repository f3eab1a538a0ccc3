"""A small town by hand: streets on a metre grid, written as an OpenStreetMap file.

Its corner lies at 7.0 E, 43.0 N; `east` and `north` count metres from there.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from geo.position import EARTH_RADIUS_M, Position

_DEGREE_M = math.radians(EARTH_RADIUS_M)
_LON, _LAT = 7.0, 43.0

Tags = Mapping[str, str]


def at(east_m: float, north_m: float) -> Position:
    """Give the position so many metres from the corner."""
    lat = _LAT + north_m / _DEGREE_M
    # Along the corner's parallel, so that columns stay straight north and south.
    return Position(_LON + east_m / _DEGREE_M / math.cos(math.radians(_LAT)), lat)


@dataclass
class Town:
    """Collect nodes and ways, then write them."""

    nodes: dict[str, tuple[Position, Tags]] = field(default_factory=dict)
    ways: list[tuple[list[str], Tags]] = field(default_factory=list)

    def node(self, name: str, east_m: float, north_m: float, **tags: str) -> None:
        self.nodes[name] = at(east_m, north_m), tags

    def way(self, names: str, highway: str | None = "residential", **tags: str | None) -> None:
        """Join nodes, named one after the other with spaces between."""
        named = {"highway": highway} | tags
        self.ways.append((names.split(), {k: v for k, v in named.items() if v is not None}))

    def write(self, path: Path) -> Path:
        ids = {name: i for i, name in enumerate(self.nodes, 1)}
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="test">']
        for name, (place, tags) in self.nodes.items():
            head = f'<node id="{ids[name]}" version="1" lon="{place.lon:.7f}" lat="{place.lat:.7f}"'
            lines.append(f"{head}>{_tags(tags)}</node>")
        for i, (names, tags) in enumerate(self.ways, 1):
            refs = "".join(f'<nd ref="{ids.get(name, 10**9)}"/>' for name in names)
            lines.append(f'<way id="{i}" version="1">{refs}{_tags(tags)}</way>')
        path.write_text("\n".join([*lines, "</osm>"]))
        return path


def _tags(tags: Tags) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


def grid(side: int = 5, block_m: float = 100.0) -> Town:
    """Lay out side x side crossings, named n<column>_<row>, with streets between neighbours."""
    town = Town()
    for column in range(side):
        for row in range(side):
            town.node(f"n{column}_{row}", column * block_m, row * block_m)
    for i in range(side):
        town.way(" ".join(f"n{i}_{row}" for row in range(side)))
        town.way(" ".join(f"n{column}_{i}" for column in range(side)))
    return town
