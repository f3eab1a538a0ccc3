"""Read one OpenStreetMap file into everything the project keeps of it. No database here."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import osmium
import shapely
from osmium.filter import EntityFilter, IdFilter, KeyFilter, TagFilter
from osmium.geom import WKBFactory
from osmium.osm import NODE, RELATION, WAY, Area, Node, Relation, Way
from shapely import ops
from shapely.geometry.base import BaseGeometry

from geo import basemap, coastline
from geo.basemap import Drawn, Tags

Box = tuple[float, float, float, float]

_POI_KEYS = (
    *("amenity", "shop", "office", "tourism", "leisure", "healthcare", "historic", "craft"),
    *("railway", "public_transport", "emergency", "man_made", "building"),
)
_SEARCHED_KEYS = (*_POI_KEYS, "place", "addr:housenumber", "addr:full", "name")
_OTHER_NAMES = ("name:en", "name:zh", "name:zh-Hans", "alt_name", "int_name", "short_name")
_NAMED_LAYERS = {"road", "waterway", "place", "poi"}
_FACILITIES = {"hospital": "hospital", "clinic": "clinic", "fire_station": "fire_station"}
_SAME_STREET_DEG = 0.02  # about 2 km: streets of one name further apart are two streets


_MARGIN_DEG = 0.002  # about 200 m: objects this far outside the box still show at its edge


class UnreadableFile(ValueError):
    """The file is not OpenStreetMap data, or it holds nothing that can be shown."""


class Feature(NamedTuple):
    """One drawn object; `shape` is WKB in degrees."""

    drawn: Drawn
    names: tuple[str | None, str | None, str | None]
    osm_ref: str
    shape: bytes
    level: int = 0
    is_tunnel: bool = False
    is_bridge: bool = False


class Spot(NamedTuple):
    """One thing with a text or a kind at a point: address, place, facility, AED.

    `version` is OpenStreetMap's of the object, 0 where the file does not say.
    """

    kind: str
    osm_ref: str
    tags: Tags
    lon: float
    lat: float
    version: int = 0


@dataclass(slots=True)
class City:
    """All of one file; `streets` maps a name to its lines, `street_names` to its other names."""

    box: Box
    features: list[Feature] = field(default_factory=list)
    addresses: list[Spot] = field(default_factory=list)
    facilities: list[Spot] = field(default_factory=list)
    aeds: list[Spot] = field(default_factory=list)
    buildings: list[tuple[float, float]] = field(default_factory=list)
    street_middles: list[tuple[float, float]] = field(default_factory=list)
    streets: dict[str, list[shapely.LineString]] = field(default_factory=dict)
    street_names: dict[str, set[str]] = field(default_factory=dict)


def read(path: Path) -> City:
    """Read a `.osm.pbf`, `.osm` or `.osm.gz` file.

    Raises `UnreadableFile` when it cannot be parsed or holds no streets and no buildings.
    """
    try:
        city = City(box=_box(path))
        reader = _Reader(city, _frame(city.box))
        reader.take(_objects(path))
        reader.draw_lines()
        city.features += _sea(path, city.box)
        city.features += _boundaries(path, city.box)
    except (RuntimeError, OSError) as error:
        raise UnreadableFile(
            f"{path.name} is not a readable OpenStreetMap file: {error}"
        ) from error
    return city


def grown(box: Box) -> Box:
    """Give the box of the drawn map, one width and height larger on every side."""
    west, south, east, north = box
    wide, high = east - west, north - south
    return (
        max(-180.0, west - wide),
        max(-85.0, south - high),
        min(180.0, east + wide),
        min(85.0, north + high),
    )


def _frame(box: Box) -> BaseGeometry:
    west, south, east, north = box
    margin = _MARGIN_DEG
    return shapely.box(west - margin, south - margin, east + margin, north + margin)


def _objects(path: Path) -> Iterable[object]:
    keys = sorted({*basemap.KEYS, *_SEARCHED_KEYS})
    return osmium.FileProcessor(path).with_areas().with_filter(KeyFilter(*keys))


def _box(path: Path) -> Box:
    """Take the box from the header, else from the streets, so that far borders do not count."""
    box = osmium.io.Reader(str(path)).header().box()
    if box.valid():
        low, high = box.bottom_left, box.top_right
        return (low.lon, low.lat, high.lon, high.lat)
    streets = osmium.FileProcessor(path).with_locations().with_filter(KeyFilter("highway"))
    points = [
        (node.lon, node.lat)
        for way in streets
        if isinstance(way, Way)
        for node in way.nodes
        if node.location.valid()
    ]
    if not points:
        raise UnreadableFile(f"{path.name} holds no streets, so there is nothing to import")
    lons, lats = zip(*points, strict=True)
    return (min(lons), min(lats), max(lons), max(lats))


class _Line(NamedTuple):
    """A way that is drawn if it lies in the frame; until then `place` is kept for it."""

    place: int  # in the city's features
    feature: Feature
    tags: Tags


@dataclass(slots=True)
class _Reader:
    """Sorts objects into a City; one method for each kind of object."""

    city: City
    frame: BaseGeometry
    factory: WKBFactory = field(default_factory=WKBFactory)
    lines: list[_Line] = field(default_factory=list)

    def take(self, objects: Iterable[object]) -> None:
        shapely.prepare(self.frame)
        for found in objects:
            match found:
                case Node():
                    self._node(found)
                case Way():
                    self._way(found)
                case Area():
                    self._area(found)
                case _:
                    pass

    def _node(self, node: Node) -> None:
        tags = dict(node.tags)
        spot = Spot("", f"node/{node.id}", tags, node.lon, node.lat, node.version)
        if not shapely.contains_xy(self.frame, node.lon, node.lat):
            return
        drawn = basemap.label(tags)
        if drawn is not None:
            point = shapely.Point(node.lon, node.lat)
            self._draw(drawn, tags, spot.osm_ref, point)
        self._spot(spot)

    def _way(self, way: Way) -> None:
        tags = dict(way.tags)
        drawn = basemap.line(tags)
        if drawn is None:
            return
        try:
            wkb = bytes.fromhex(self.factory.create_linestring(way))
        except (RuntimeError, osmium.InvalidLocationError):
            return  # one node, or nodes outside the extract: nothing to draw
        feature = _feature(drawn, tags, f"way/{way.id}", wkb)
        self.lines.append(_Line(len(self.city.features), feature, tags))
        self.city.features.append(feature)

    def draw_lines(self) -> None:
        """Draw the ways in the frame, all at once: one by one takes several times as long."""
        features = self.city.features
        shapes = shapely.from_wkb([line.feature.shape for line in self.lines])
        shown = shapely.intersects(self.frame, shapes)
        cut = shown & ~shapely.contains(self.frame, shapes)
        clipped = shapely.to_wkb(shapely.clip_by_rect(shapes[cut], *self.frame.bounds))
        for row, wkb in zip(np.flatnonzero(cut).tolist(), clipped, strict=True):
            line = self.lines[row]
            features[line.place] = line.feature._replace(shape=wkb)
        middles = shapely.get_coordinates(
            shapely.line_interpolate_point(shapes, 0.5, normalized=True)
        ).tolist()
        for row in np.flatnonzero(shown).tolist():
            self._road(self.lines[row], shapes[row], middles[row])
        hidden = {self.lines[row].place for row in np.flatnonzero(~shown).tolist()}
        if hidden:
            features[:] = [item for place, item in enumerate(features) if place not in hidden]

    def _road(self, line: _Line, shape: shapely.LineString, middle: list[float]) -> None:
        drawn, tags = line.feature.drawn, line.tags
        if drawn.layer != "road":
            return
        if "name" in tags:
            self.city.streets.setdefault(tags["name"], []).append(shape)
            self.city.street_names.setdefault(tags["name"], set()).update(other_names(tags))
        if drawn.kind != "footway" and tags["highway"] != "service":
            self.city.street_middles.append((middle[0], middle[1]))

    def _area(self, area: Area) -> None:
        tags = dict(area.tags)
        drawn = basemap.area(tags, of_relation=not area.from_way())
        label = basemap.label(tags)
        is_searched = any(key in tags for key in _SEARCHED_KEYS)
        if drawn is None and label is None and not is_searched:
            return
        shape = self._multipolygon(area)
        if shape is None or not self.frame.intersects(shape):
            return
        self._filled(drawn, label, area, shape)

    def _filled(
        self, drawn: Drawn | None, label: Drawn | None, area: Area, shape: BaseGeometry
    ) -> None:
        tags, ref = dict(area.tags), f"{_kind_of(area)}/{area.orig_id()}"
        inside = shape.representative_point()
        if drawn is not None:
            self._draw(drawn, tags, ref, shape)
            if drawn.layer == "building":
                self.city.buildings.append((inside.x, inside.y))
        if label is not None:
            self._draw(label, tags, ref, inside)
        if "highway" not in tags:
            self._spot(Spot("", ref, tags, inside.x, inside.y, area.version))

    def _multipolygon(self, area: Area) -> BaseGeometry | None:
        try:
            return shapely.from_wkb(bytes.fromhex(self.factory.create_multipolygon(area)))
        except (RuntimeError, osmium.InvalidLocationError):
            return None

    def _draw(self, drawn: Drawn, tags: Tags, ref: str, shape: BaseGeometry) -> None:
        """Note an object, cut off where the extract ends: beyond, its surroundings are missing."""
        if not self.frame.contains(shape):
            shape = shapely.clip_by_rect(shape, *self.frame.bounds)
        self.city.features.append(_feature(drawn, tags, ref, shapely.to_wkb(shape)))

    def _spot(self, spot: Spot) -> None:
        tags = spot.tags
        if tags.get("emergency") == "defibrillator":
            self.city.aeds.append(spot._replace(kind="aed"))
            return
        kind = _FACILITIES.get(tags.get("amenity", ""))
        if kind is not None:
            self.city.facilities.append(spot._replace(kind=kind))
        if "addr:housenumber" in tags or "addr:full" in tags:
            self.city.addresses.append(spot._replace(kind="address"))
        if "name" in tags and "place" in tags:
            self.city.addresses.append(spot._replace(kind="place"))
        elif "name" in tags and any(key in tags for key in _POI_KEYS):
            self.city.addresses.append(spot._replace(kind="poi"))


def _feature(drawn: Drawn, tags: Tags, ref: str, wkb: bytes) -> Feature:
    names = basemap.names(tags) if drawn.layer in _NAMED_LAYERS else (None, None, None)
    tunnel, bridge = basemap.is_tunnel(tags), basemap.is_bridge(tags)
    return Feature(drawn, names, ref, wkb, basemap.level_of(tags), tunnel, bridge)


def other_names(tags: Tags) -> list[str]:
    """List the names by which people may look for a thing besides its `name`."""
    return [tags[key] for key in _OTHER_NAMES if key in tags]


def _kind_of(area: Area) -> str:
    return "way" if area.from_way() else "relation"


def _sea(path: Path, box: Box) -> Iterator[Feature]:
    ways = osmium.FileProcessor(path).with_locations()
    lines = _lines(ways.with_filter(TagFilter(("natural", "coastline"))))
    for piece in coastline.sea([line for _, line in lines], grown(box)):
        wkb = shapely.to_wkb(piece)
        yield Feature(Drawn("water", "sea", 8, 0), (None, None, None), "coastline", wkb)


def _boundaries(path: Path, box: Box) -> Iterator[Feature]:
    """Yield each border once, with the highest rank among the areas that it bounds."""
    ranks = _border_ranks(path)
    if not ranks:
        return
    frame = shapely.box(*grown(box))
    ways = osmium.FileProcessor(path).with_locations().with_filter(EntityFilter(WAY))
    for way_id, line in _lines(ways.with_filter(IdFilter(ranks))):
        drawn = basemap.boundary(ranks[way_id])
        if drawn is not None and line.intersects(frame):
            yield Feature(drawn, (None, None, None), f"way/{way_id}", shapely.to_wkb(line))


def _lines(objects: Iterable[object]) -> Iterator[tuple[int, shapely.LineString]]:
    """Yield the ways whose nodes are all in the file."""
    for way in objects:
        if isinstance(way, Way) and len(way.nodes) > 1:
            places = [node.location for node in way.nodes]
            if all(place.valid() for place in places):
                yield way.id, shapely.LineString([(place.lon, place.lat) for place in places])


def _border_ranks(path: Path) -> dict[int, int]:
    ranks: dict[int, int] = {}
    relations = osmium.FileProcessor(path, RELATION | NODE)
    for relation in relations.with_filter(TagFilter(("boundary", "administrative"))):
        level = relation.tags.get("admin_level") or ""
        if not isinstance(relation, Relation) or not level.isdigit():
            continue
        for member in relation.members:
            if member.type == "w":
                ranks[member.ref] = min(ranks.get(member.ref, 99), int(level))
    return ranks


def street_points(lines: Sequence[shapely.LineString]) -> list[tuple[float, float]]:
    """Give one point on each street of a name: its lines, with gaps of up to 2 km closed."""
    if len(lines) == 1:  # most streets; no need to look for gaps
        return [_amid(lines[0])]
    west, south, east, north = shapely.total_bounds(np.array(lines))
    if math.hypot(east - west, north - south) < 0.9 * _SAME_STREET_DEG:  # nor here
        return [_amid(shapely.union_all(lines))]
    groups = shapely.union_all([line.envelope.buffer(_SAME_STREET_DEG / 2) for line in lines])
    return [
        _amid(shapely.union_all([line for line in lines if line.intersects(group)]))
        for group in shapely.get_parts(groups)
    ]


def _amid(street: BaseGeometry) -> tuple[float, float]:
    on_it = ops.nearest_points(street, street.centroid)[0]
    return on_it.x, on_it.y
