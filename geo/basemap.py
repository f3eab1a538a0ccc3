"""PURE  Which OpenStreetMap objects are drawn, in which layer, from which zoom.

The rules are data: the first row that fits an object wins. Layer and kind names are a contract
with the map style; hospitals and shops are left out of it on purpose.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """How one object is drawn; `rank` orders within the layer, small is important."""

    layer: str
    kind: str
    minzoom: int
    rank: int = 5
    detail: str | None = None


_Rules = dict[str, dict[str, Drawn]]


def _table(key_rules: dict[str, list[tuple[str, Drawn]]]) -> _Rules:
    return {
        key: {value: drawn for values, drawn in rules for value in values.split()}
        for key, rules in key_rules.items()
    }


ROADS = _table(
    {
        "highway": [
            ("motorway", Drawn("road", "primary", 8, 0)),
            ("trunk", Drawn("road", "primary", 8, 1)),
            ("primary", Drawn("road", "primary", 8, 2)),
            ("motorway_link trunk_link primary_link", Drawn("road", "primary", 11, 3)),
            ("secondary", Drawn("road", "secondary", 11, 3)),
            ("tertiary", Drawn("road", "secondary", 12, 4)),
            ("secondary_link tertiary_link", Drawn("road", "secondary", 13, 5)),
            ("residential unclassified living_street road busway", Drawn("road", "minor", 13, 6)),
            ("pedestrian", Drawn("road", "minor", 13, 7)),
            ("service track", Drawn("road", "minor", 14, 8)),
            ("footway path cycleway bridleway", Drawn("road", "footway", 14, 9)),
            ("steps corridor elevator", Drawn("road", "footway", 15, 9)),
        ]
    }
)
LINES = _table(
    {
        "waterway": [
            ("river", Drawn("waterway", "river", 10, 0)),
            ("canal", Drawn("waterway", "canal", 11, 1)),
            ("stream", Drawn("waterway", "stream", 14, 3)),
            ("ditch drain", Drawn("waterway", "ditch", 15, 4)),
        ],
        "railway": [
            ("rail", Drawn("rail", "rail", 11, 0)),
            ("subway light_rail monorail", Drawn("rail", "subway", 12, 1)),
            ("tram", Drawn("rail", "tram", 13, 2)),
            ("funicular narrow_gauge", Drawn("rail", "funicular", 13, 2)),
        ],
    }
)
AREAS = _table(
    {
        "natural": [
            ("water", Drawn("water", "lake", 10, 1)),
            ("wood scrub", Drawn("green", "wood", 10, 0)),
            ("grassland heath", Drawn("green", "grass", 12, 2)),
            ("beach sand shingle", Drawn("land", "beach", 12, 3)),
        ],
        "waterway": [
            ("riverbank dock", Drawn("water", "river", 10, 1)),
        ],
        "leisure": [
            ("park nature_reserve common recreation_ground", Drawn("green", "park", 10, 1)),
            ("garden", Drawn("green", "garden", 13, 3)),
            ("pitch playground track stadium dog_park", Drawn("green", "pitch", 13, 5)),
            ("golf_course", Drawn("green", "grass", 12, 2)),
            ("swimming_pool", Drawn("water", "pool", 15, 5)),
        ],
        "landuse": [
            ("reservoir basin", Drawn("water", "lake", 10, 1)),
            ("forest", Drawn("green", "wood", 10, 0)),
            ("recreation_ground village_green", Drawn("green", "park", 11, 1)),
            ("grass meadow orchard vineyard allotments flowerbed", Drawn("green", "grass", 13, 2)),
            ("cemetery", Drawn("green", "cemetery", 12, 2)),
            ("residential commercial retail industrial", Drawn("land", "block", 10, 0)),
            ("construction railway brownfield", Drawn("land", "ground", 12, 1)),
        ],
        "amenity": [
            ("grave_yard", Drawn("green", "cemetery", 12, 2)),
            ("fountain", Drawn("water", "fountain", 15, 6)),
            ("parking", Drawn("land", "ground", 14, 2)),
        ],
        "place": [("square", Drawn("land", "square", 13, 4))],
        "man_made": [("pier breakwater quay groyne", Drawn("land", "pier", 12, 5))],
        "highway": [("pedestrian footway", Drawn("land", "square", 13, 4))],
    }
)
BUILDING = Drawn("building", "building", 14, 5)
PLACES = _table(
    {
        "place": [
            ("city", Drawn("place", "city", 8, 0)),
            ("town", Drawn("place", "town", 9, 1)),
            ("borough suburb district", Drawn("place", "suburb", 11, 3)),
            ("quarter", Drawn("place", "suburb", 12, 4)),
            ("village", Drawn("place", "village", 12, 4)),
            ("hamlet isolated_dwelling", Drawn("place", "hamlet", 14, 6)),
            ("neighbourhood", Drawn("place", "neighbourhood", 14, 6)),
            ("island islet", Drawn("place", "island", 12, 5)),
            ("square", Drawn("place", "square", 15, 7)),
        ]
    }
)
LABELS = _table(
    {
        "railway": [("station halt", Drawn("poi", "station", 13, 0))],
        "natural": [("water bay", Drawn("poi", "water", 14, 2))],
        "leisure": [("park garden nature_reserve", Drawn("poi", "park", 14, 3))],
        "amenity": [
            ("university college school kindergarten", Drawn("poi", "school", 14, 4)),
            ("ferry_terminal bus_station", Drawn("poi", "station", 14, 1)),
            ("grave_yard", Drawn("poi", "cemetery", 14, 5)),
        ],
        "landuse": [("cemetery", Drawn("poi", "cemetery", 14, 5))],
    }
)

# Keys that any rule looks at; everything else in a file is passed over unread.
KEYS = sorted({*ROADS, *LINES, *AREAS, *PLACES, *LABELS, "building", "boundary"})


def line(tags: Tags) -> Drawn | None:
    """Say how a way is drawn as a line, streets first."""
    if tags.get("area") == "yes":
        return None
    return _first(ROADS, tags) or _first(LINES, tags)


def area(tags: Tags, *, of_relation: bool) -> Drawn | None:
    """Say how a closed way or multipolygon is filled.

    A ring of `highway` is a path around something unless it says `area=yes`.
    """
    if tags.get("location") == "underground" or tags.get("parking") == "underground":
        return None
    if tags.get("building", "no") != "no":
        return BUILDING
    drawn = _first(AREAS, tags)
    if drawn is not None and drawn.layer == "land" and "highway" in tags:
        is_area = of_relation or tags.get("area") == "yes"
        return drawn if is_area or "place" in tags else None
    return drawn


def label(tags: Tags) -> Drawn | None:
    """Say which label a named node or area gets."""
    if "name" not in tags:
        return None
    return _first(PLACES, tags) or _first(LABELS, tags)


def boundary(level: int) -> Drawn | None:
    """Say how an administrative border of that OSM level is drawn; None below districts."""
    if level <= 2:
        return Drawn("boundary", "country", 8, 0, str(level))
    if level <= 6:
        return Drawn("boundary", "region", 10, 1, str(level))
    return Drawn("boundary", "district", 11, 2, str(level)) if level <= 10 else None


def level_of(tags: Tags) -> int:
    """Read the drawing level; tunnels lie below and bridges above even without the tag."""
    text = tags.get("layer", "")
    if text.lstrip("+-").isdigit():
        return max(-9, min(9, int(text)))
    return int(is_bridge(tags)) - int(is_tunnel(tags))


def is_tunnel(tags: Tags) -> bool:
    """Say whether the way runs below ground or through a building."""
    return tags.get("tunnel", "no") != "no" or tags.get("covered") == "yes"


def is_bridge(tags: Tags) -> bool:
    """Say whether the way stands on a bridge."""
    return tags.get("bridge", "no") != "no"


def names(tags: Tags) -> tuple[str | None, str | None, str | None]:
    """Give the local, Chinese and English name; the latter two only where they differ."""
    name = tags.get("name")
    chinese = tags.get("name:zh-Hans") or tags.get("name:zh")
    english = tags.get("name:en")
    return (
        name or chinese or english,
        chinese if chinese != name else None,
        english if english != name else None,
    )


def _first(rules: _Rules, tags: Tags) -> Drawn | None:
    for key, by_value in rules.items():
        drawn = by_value.get(tags.get(key, ""))
        if drawn is not None:
            return Drawn(drawn.layer, drawn.kind, drawn.minzoom, drawn.rank, tags[key])
    return None
