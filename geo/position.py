"""A place on the Earth: WGS-84, longitude first, and the few measures everybody needs of it."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import shapely
from geoalchemy2.elements import WKBElement

from geo import earth

EARTH_RADIUS_M = earth.RADIUS_M
SRID = 4326
_DEGREE_M = math.radians(EARTH_RADIUS_M)

# Nearly all points come as this: little-endian, two numbers and no SRID.
_POINT = struct.Struct("<5xdd")
_POINT_BEGINS = b"\x01\x01\x00\x00\x00"

_COMPASS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")


class BadPosition(ValueError):
    """A position that cannot be one: `field` names the culprit, the text says what to send."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _degrees(field: str, value: object, limit: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadPosition(field, f"{field} must be a number of degrees, not {type(value).__name__}")
    degrees = float(value)
    if not math.isfinite(degrees):
        raise BadPosition(field, f"{field} must be a finite number of degrees")
    if abs(degrees) > limit:
        raise BadPosition(
            field,
            f"{field} must lie between -{limit:.0f} and {limit:.0f} degrees; "
            "longitude comes first, latitude second",
        )
    return degrees


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees in WGS-84.

    Raises `BadPosition` when a value is no number, not finite or out of range.
    """

    lon: float
    lat: float

    def __post_init__(self) -> None:
        lon, lat = self.lon, self.lat
        # Made tens of thousands of times a second; a comparison with nan is false.
        if (
            type(lon) is float and type(lat) is float
            and -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0
        ):  # fmt: skip
            return
        object.__setattr__(self, "lon", _degrees("lon", self.lon, 180.0))
        object.__setattr__(self, "lat", _degrees("lat", self.lat, 90.0))

    def geojson(self) -> dict[str, object]:
        """Give the GeoJSON Point."""
        return {"type": "Point", "coordinates": [self.lon, self.lat]}

    @classmethod
    def from_geojson(cls, obj: object) -> Self:
        """Read a GeoJSON Point; a third coordinate (height) is allowed and dropped."""
        if not isinstance(obj, Mapping) or obj.get("type") != "Point":
            raise BadPosition("position", 'position must be a GeoJSON object of type "Point"')
        coordinates = obj.get("coordinates")
        if not isinstance(coordinates, list | tuple) or len(coordinates) not in (2, 3):
            raise BadPosition("position", "coordinates must be [longitude, latitude]")
        return cls(coordinates[0], coordinates[1])

    def ewkb(self) -> WKBElement:
        """Give the value to bind to a geography or geometry column."""
        point = shapely.Point(self.lon, self.lat)
        return WKBElement(shapely.to_wkb(point, include_srid=False), srid=SRID, extended=False)

    def ewkt(self) -> str:
        """Give the text that a statement takes without SQLAlchemy, by ST_GeogFromText."""
        return f"SRID={SRID};POINT({self.lon!r} {self.lat!r})"

    @classmethod
    def from_wkb(cls, element: WKBElement | bytes | str) -> Self:
        """Read what a column of points returns: an element, its bytes, or their hex text."""
        data = element.data if isinstance(element, WKBElement) else element
        plain = bytes.fromhex(data) if isinstance(data, str) else bytes(data)
        if len(plain) == _POINT.size and plain.startswith(_POINT_BEGINS):
            return cls(*_POINT.unpack(plain))
        point = shapely.from_wkb(plain)
        return cls(point.x, point.y)


def distance_m(a: Position, b: Position) -> float:
    """Measure the great circle between two positions, in metres on the mean sphere."""
    return earth.great_circle_m(a.lon, a.lat, b.lon, b.lat)


def is_near(a: Position, b: Position, within_m: float) -> bool:
    """Say whether two positions are at most so far apart; quick for those that are much nearer."""
    # By the meridian and then along the equator is no shorter than the great circle.
    detour_m = (abs(a.lon - b.lon) + abs(a.lat - b.lat)) * _DEGREE_M
    return detour_m <= within_m or distance_m(a, b) <= within_m


def bearing(a: Position, b: Position) -> str:
    """Name the direction in which `b` lies from `a`: one of n ne e se s sw w nw."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    turn = math.radians(b.lon - a.lon)
    east = math.sin(turn) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(turn)
    return _COMPASS[round(math.degrees(math.atan2(east, north)) / 45) % 8]


def coarse(position: Position, *, cell_m: float = 600) -> Position:
    """Give the centre of the fixed grid cell that holds the position.

    The grid never moves, so asking again tells nothing more. In a square cell the centre lies
    0.383 of a side away on average: 230 m for the 600 m that a phone is shown before it accepts.
    """
    degree_m = math.radians(EARTH_RADIUS_M)
    row_deg = cell_m / degree_m
    lat = min(90.0, max(-90.0, (math.floor(position.lat / row_deg) + 0.5) * row_deg))
    # The width comes from the row's own latitude, so that every position in a row shares it.
    column_deg = min(360.0, row_deg / max(1e-9, math.cos(math.radians(lat))))
    lon = (math.floor(position.lon / column_deg) + 0.5) * column_deg
    return Position(min(180.0, max(-180.0, lon)), lat)
