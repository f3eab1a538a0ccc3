"""PURE  Writes vector tiles (Mapbox Vector Tile 2.1) of what is computed here and not in PostGIS.

The format is small enough to be written by hand; going through the database only to encode what is
already in memory would cost more than the drawing.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import shapely

#: Units of a tile's side, and how far around it things are still drawn, as ST_AsMVTGeom has them.
EXTENT = 4096
MARGIN = 64

Value = str | int | float | bool
Ring = Sequence[tuple[float, float]]

_SMALL = tuple(bytes((number,)) for number in range(0x80))
_MOVE, _LINE, _CLOSE = 1, 2, 7
_POINT, _POLYGON = 1, 3


class Frame(NamedTuple):
    """The address of a tile as a frame to draw in."""

    z: int
    x: int
    y: int

    def units(self, lon: float, lat: float) -> tuple[float, float]:
        """Turn degrees into units of the tile, from its north-western corner."""
        across, down = world(lon, lat)
        side = 1 << self.z
        return (across * side - self.x) * EXTENT, (down * side - self.y) * EXTENT


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing to draw: its encoded geometry, kind 1 point or 3 polygon, and what it says."""

    kind: int
    geometry: bytes
    properties: Mapping[str, Value | None]


def world(lon: float, lat: float) -> tuple[float, float]:
    """Project degrees on the square of web Mercator, 0 to 1 from the north-western corner."""
    high = math.radians(max(-89.9, min(89.9, lat)))
    return (lon + 180.0) / 360.0, (1.0 - math.asinh(math.tan(high)) / math.pi) / 2.0


def degrees(x: float, y: float) -> tuple[float, float]:
    """Give longitude and latitude of a place on that square."""
    return x * 360.0 - 180.0, math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * y))))


def point(frame: Frame, lon: float, lat: float, properties: Mapping[str, Value | None]) -> Shape:
    """Make a point; what lies outside of the frame is the caller's matter."""
    x, y = frame.units(lon, lat)
    return point_at(math.floor(x + 0.5), math.floor(y + 0.5), properties)


def point_at(x: int, y: int, properties: Mapping[str, Value | None]) -> Shape:
    """Make a point from units of the tile."""
    return Shape(_POINT, varint(_command(_MOVE, 1)) + _step(x) + _step(y), properties)


def is_inside(frame: Frame, lon: float, lat: float, *, margin: int = MARGIN) -> bool:
    """Tell whether a place lies in the frame or within its margin."""
    return all(-margin <= unit <= EXTENT + margin for unit in frame.units(lon, lat))


def polygon(frame: Frame, ring: Ring, properties: Mapping[str, Value | None]) -> Shape | None:
    """Make a polygon from one ring in degrees, cut to the frame; None when nothing is left."""
    outline = shapely.Polygon([frame.units(lon, lat) for lon, lat in ring])
    low, high = -MARGIN, EXTENT + MARGIN
    cut = shapely.clip_by_rect(outline, low, low, high, high)
    if cut.is_empty or cut.geom_type != "Polygon":
        return None
    # On the screen y points down: a ring that runs clockwise there has a positive area in the
    # surveyor's formula, and that is what the specification asks of outer rings.
    facing = shapely.geometry.polygon.orient(cut, 1.0)
    corners = [(round(x), round(y)) for x, y in facing.exterior.coords[:-1]]
    distinct = [spot for n, spot in enumerate(corners) if spot != corners[n - 1]]
    return Shape(_POLYGON, _ring(distinct), properties) if len(distinct) > 2 else None


def layer(name: str, shapes: Iterable[Shape]) -> bytes:
    """Write a layer; empty bytes when there is nothing in it. Properties that are None are left."""
    keys: dict[str, int] = {}
    values: dict[tuple[type, Value], int] = {}
    features = [_feature(shape, keys, values) for shape in shapes]
    return pack(name, list(keys), [value(each) for _kind, each in values], b"".join(features))


def pack(name: str, keys: Sequence[str], values: Sequence[bytes], features: bytes) -> bytes:
    """Put the parts of a layer together; empty bytes when it has no features."""
    if not features:
        return b""
    parts = (
        b"\x78\x02",  # version 2
        message(1, name.encode()),
        features,
        *(message(3, key.encode()) for key in keys),
        *values,
        b"\x28" + varint(EXTENT),
    )
    return message(3, b"".join(parts))


def value(of: Value) -> bytes:
    """Write one entry of the table of values."""
    if isinstance(of, bool):
        content = b"\x38" + varint(of)
    elif isinstance(of, int):
        content = b"\x28" + varint(of) if of >= 0 else b"\x30" + varint(zigzag(of))
    elif isinstance(of, float):
        content = b"\x19" + struct.pack("<d", of)
    else:
        content = message(1, of.encode())
    return message(4, content)


def message(number: int, content: bytes) -> bytes:
    """Write a field that holds bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """Write a number of at least 0, seven bits a byte, the lowest first."""
    if number < len(_SMALL):
        return _SMALL[number]
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def zigzag(number: int) -> int:
    """Fold the sign into the lowest bit."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def _feature(shape: Shape, keys: dict[str, int], values: dict[tuple[type, Value], int]) -> bytes:
    tags = b"".join(
        varint(keys.setdefault(key, len(keys)))
        # 1, 1.0 and true are equal to Python and not the same on a map.
        + varint(values.setdefault((type(each), each), len(values)))
        for key, each in shape.properties.items()
        if each is not None
    )
    kind = b"\x18" + varint(shape.kind)
    return message(2, message(2, tags) + kind + message(4, shape.geometry))


def _ring(corners: Sequence[tuple[int, int]]) -> bytes:
    parts = [varint(_command(_MOVE, 1))]
    x = y = 0
    for number, (to_x, to_y) in enumerate(corners):
        if number == 1:
            parts.append(varint(_command(_LINE, len(corners) - 1)))
        parts += (_step(to_x - x), _step(to_y - y))
        x, y = to_x, to_y
    return b"".join((*parts, varint(_command(_CLOSE, 1))))


def _command(what: int, count: int) -> int:
    return count << 3 | what


def _step(by: int) -> bytes:
    return varint(zigzag(by))
