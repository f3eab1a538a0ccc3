"""A town of a few streets, written as OpenStreetMap XML by the tests that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from geo.position import Position

#: South-west corner of the town, off the coast of nowhere in particular, and its size in degrees.
WEST, SOUTH, SIDE = 7.0, 43.0, 0.02
BOX = (WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)


def at(x: float, y: float) -> Position:
    """Return a place of the town: thousandths of a degree east and north of its corner."""
    return Position(round(WEST + x / 1000, 7), round(SOUTH + y / 1000, 7))


@dataclass(slots=True)
class Town:
    """Nodes, ways and relations in the order of their making; ids count up by kind."""

    nodes: list[str] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)

    def node(self, x: float, y: float, tags: Mapping[str, str] | None = None) -> int:
        """Add a node and return its id."""
        number, place = len(self.nodes) + 1, at(x, y)
        self.nodes.append(
            f'<node id="{number}" version="1" lon="{place.lon}" lat="{place.lat}">'
            f"{_tags(tags)}</node>"
        )
        return number

    def way(self, points: Sequence[tuple[float, float]], tags: Mapping[str, str]) -> int:
        """Add a way over new nodes, closed where its ends are the same; return its id."""
        is_ring = points[0] == points[-1]
        ids = [self.node(*point) for point in (points[:-1] if is_ring else points)]
        refs = "".join(f'<nd ref="{ref}"/>' for ref in [*ids, *ids[:1]][: len(points)])
        self.ways.append(f'<way id="{len(self.ways) + 1}" version="1">{refs}{_tags(tags)}</way>')
        return len(self.ways)

    def block(self, x: float, y: float, tags: Mapping[str, str], size: float = 0.2) -> int:
        """Add a square whose south-west corner is given."""
        ring = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
        return self.way(ring, tags)

    def relation(self, ways: Mapping[int, str], tags: Mapping[str, str]) -> int:
        """Add a relation of ways with their roles."""
        members = "".join(
            f'<member type="way" ref="{ref}" role="{role}"/>' for ref, role in ways.items()
        )
        number = len(self.relations) + 1
        self.relations.append(
            f'<relation id="{number}" version="1">{members}{_tags(tags)}</relation>'
        )
        return number

    def write(self, path: Path) -> Path:
        """Write the town to a `.osm` file."""
        west, south, east, north = BOX
        bounds = f'<bounds minlon="{west}" minlat="{south}" maxlon="{east}" maxlat="{north}"/>'
        things = "".join([bounds, *self.nodes, *self.ways, *self.relations])
        path.write_text(f'<osm version="0.6">{things}</osm>', encoding="utf-8")
        return path


def _tags(tags: Mapping[str, str] | None) -> str:
    return "".join(
        f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in (tags or {}).items()
    )


def small_town() -> Town:
    """Build the town that most tests use: coast in the south, one street, a park, two AEDs."""
    town = Town()
    # Two AEDs first, so that their ids stay 1 and 2.
    town.node(
        5,
        10.1,
        {
            "emergency": "defibrillator",
            "access": "yes",
            "opening_hours": "Mo-Fr 08:00-18:00",
            "check_date": "2026-05-01",
            "colour": "green",
        },
    )
    town.node(12, 10.1, {"emergency": "defibrillator", "indoor": "yes"})
    town.way([(2, 10), (10, 10), (18, 10)], {"highway": "primary", "name": "Grande Rue"})
    town.way([(10, 10), (10, 15)], {"highway": "steps", "name": "Montée"})
    town.way(
        [(2, 12), (8, 12)],
        {
            "highway": "residential",
            "name": "中山大道",
            "name:en": "Zhongshan Avenue",
            "tunnel": "yes",
        },
    )
    town.way([(2, 14), (6, 14)], {"highway": "proposed", "name": "Never Built"})
    town.way([(1, 18), (19, 18)], {"railway": "rail", "bridge": "yes"})
    town.block(3, 10.2, {"building": "yes", "addr:street": "Grande Rue", "addr:housenumber": "7;9"})
    town.block(4, 10.2, {"building": "yes", "addr:street": "中山大道", "addr:housenumber": "12"})
    town.block(
        6,
        10.2,
        {
            "building": "hospital",
            "amenity": "hospital",
            "name": "Hôpital Saint-Éloi",
        },
    )
    town.block(14, 10.2, {"amenity": "fire_station", "name": "Caserne", "building": "yes"})
    town.block(12, 14, {"leisure": "park", "name": "Parc du Château"}, size=2)
    outer = town.block(15, 12, {}, size=2)
    inner = town.block(15.5, 12.5, {}, size=0.5)
    town.relation({outer: "outer", inner: "inner"}, {"type": "multipolygon", "natural": "water"})
    # Going east, the land lies on the left: the sea is south.
    town.way([(-5, 4), (8, 5), (25, 4)], {"natural": "coastline"})
    border = town.way([(1, 6), (1, 19)], {})
    town.relation(
        {border: "outer"},
        {
            "type": "boundary",
            "boundary": "administrative",
            "admin_level": "8",
        },
    )
    town.relation(
        {border: "outer"},
        {
            "type": "boundary",
            "boundary": "administrative",
            "admin_level": "2",
        },
    )
    town.node(9, 11, {"place": "town", "name": "Bourg"})
    town.node(16, 10.05, {"shop": "bakery", "name": "Au Pain", "addr:street": "Grande Rue"})
    town.node(60, 60, {"place": "town", "name": "Far Away"})
    return town
