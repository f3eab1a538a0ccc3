"""Street segments in a projected GeoParquet file, written as an OpenStreetMap file.

The demo data of Wuhan come as two-point segments with their `highway` value, in a UTM zone.
"""

import json
import math
from pathlib import Path

import numpy as np
import osmium
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

# WGS-84 and the UTM grid.
_SEMI_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_SCALE = 0.9996
_FALSE_EASTING_M = 500_000.0


def write_osm(source: Path, target: Path) -> int:
    """Join the segments of each kind of street into ways and write them; give the number of ways.

    Ends that meet share a node, as the segments do to the millimetre.
    """
    table = pq.read_table(source, columns=["highway", "geometry"])
    meridian = _central_meridian(table.schema.metadata[b"geo"])
    lines = shapely.from_wkb(table["geometry"].to_numpy())
    kinds = np.asarray(table["highway"].to_pylist())
    ways = [
        (kind, shapely.get_coordinates(line))
        for kind in sorted(set(kinds))
        for line in _merged(lines[kinds == kind])
    ]
    part = target.with_name(f"part-{target.name}")
    _write(part, ways, meridian)
    part.rename(target)
    return len(ways)


def _merged(lines: NDArray[np.object_]) -> list[shapely.LineString]:
    whole = shapely.line_merge(shapely.multilinestrings(lines))
    return list(shapely.get_parts(whole))


def _write(target: Path, ways: list[tuple[str, _Floats]], meridian: float) -> None:
    points = np.vstack([line for _kind, line in ways])
    places, numbers = np.unique(np.round(points, 3), axis=0, return_inverse=True)
    lon, lat = from_utm(places[:, 0], places[:, 1], meridian)
    node_of = iter(numbers.ravel() + 1)
    with osmium.SimpleWriter(target, overwrite=True) as writer:
        for number, place in enumerate(zip(lon.tolist(), lat.tolist(), strict=True), start=1):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=place))
        for number, (kind, line) in enumerate(ways, start=1):
            nodes = [int(next(node_of)) for _point in line]
            way = osmium.osm.mutable.Way(id=number, nodes=nodes, tags={"highway": kind})
            writer.add_way(way)


def _central_meridian(metadata: bytes) -> float:
    geometry = json.loads(metadata)["columns"]["geometry"]
    parameters = geometry["crs"]["conversion"]["parameters"]
    named = {parameter["name"]: parameter["value"] for parameter in parameters}
    return float(named["Longitude of natural origin"])


def from_utm(east: _Floats, north: _Floats, meridian: float) -> tuple[_Floats, _Floats]:
    """Give longitude and latitude of points on the northern half of a UTM zone.

    Krüger's series to the fourth order of the third flattening: exact to micrometres in a zone.
    (L. Krüger 1912; C. F. F. Karney 2011, "Transverse Mercator with an accuracy of a few
    nanometers", equations 11, 15, 36.)
    """
    n = _FLATTENING / (2 - _FLATTENING)
    radius = _SEMI_MAJOR_M / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    beta = (
        n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96 - n**4 / 360,
        n**2 / 48 + n**3 / 15 - 437 * n**4 / 1440,
        17 * n**3 / 480 - 37 * n**4 / 840,
        4397 * n**4 / 161280,
    )
    delta = (
        2 * n - 2 * n**2 / 3 - 2 * n**3 + 116 * n**4 / 45,
        7 * n**2 / 3 - 8 * n**3 / 5 - 227 * n**4 / 45,
        56 * n**3 / 15 - 136 * n**4 / 35,
        4279 * n**4 / 630,
    )
    xi = north / (_SCALE * radius)
    eta = (east - _FALSE_EASTING_M) / (_SCALE * radius)
    steps = list(enumerate(zip(beta, delta, strict=True), start=1))
    x = xi - sum(b * np.sin(2 * j * xi) * np.cosh(2 * j * eta) for j, (b, _d) in steps)
    y = eta - sum(b * np.cos(2 * j * xi) * np.sinh(2 * j * eta) for j, (b, _d) in steps)
    chi = np.arcsin(np.sin(x) / np.cosh(y))
    latitude = chi + sum(d * np.sin(2 * j * chi) for j, (_b, d) in steps)
    longitude = math.radians(meridian) + np.arctan2(np.sinh(y), np.cos(x))
    return np.degrees(longitude), np.degrees(latitude)
