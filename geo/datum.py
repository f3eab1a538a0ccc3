"""GCJ-02 and BD-09 to WGS-84 and back: called at the edges only, everything inside is WGS-84.

Maps sold in mainland China are shifted by some hundred metres (GCJ-02), Baidu's once more (BD-09).
The shift is a published formula (`_shift`, with the constants of the Krasovsky 1940 ellipsoid); it
has no closed inverse, so the way back is found by iteration to below a micrometre.

Only the mainland is shifted. The usual bounding box would also move Seoul, Hanoi, Hong Kong, Macau
and Taiwan, so a polygon decides. The polygon is coarse on purpose: it follows the coast some
kilometres out at sea and is exact to about a kilometre only round Hong Kong, Macau, Kinmen and
Matsu; along the land borders it may be wrong by some tens of kilometres.
"""

import math
from collections.abc import Callable
from enum import StrEnum

_AXIS_M = 6_378_245.0  # Krasovsky 1940, as GCJ-02 defines it
_ECCENTRICITY_SQ = 0.00669342162296594
_BAIDU_TURN = math.pi * 3000.0 / 180.0
_CLOSE_DEG = 1e-12  # below a micrometre; reached in four or five rounds
_MAX_ROUNDS = 12

# Longitude, latitude; anticlockwise from the Korean border. No holes: Hong Kong and Macau are cut
# out by running along their land borders.
_MAINLAND = (
    (124.2, 39.7), (124.35, 40.07), (125.0, 40.55), (126.0, 40.9), (126.9, 41.7), (128.3, 41.38),
    (128.1, 42.0), (129.7, 42.4), (129.87, 42.96), (130.6, 42.4), (131.3, 43.3), (131.2, 44.8),
    (133.1, 45.0), (134.9, 48.45), (134.2, 48.4), (132.5, 47.76), (131.0, 47.7), (130.7, 48.9),
    (127.53, 49.8), (127.52, 50.25), (125.9, 53.1), (121.2, 53.6), (119.9, 52.6), (120.9, 52.0),
    (119.1, 50.2), (117.8, 49.5), (116.6, 49.9), (115.5, 48.1), (117.7, 47.6), (119.9, 46.7),
    (116.2, 46.3), (113.6, 44.7), (111.9, 45.1), (111.5, 44.1), (111.9, 43.69), (110.3, 42.7),
    (105.0, 41.6), (101.8, 42.5), (96.4, 42.7), (95.4, 44.3), (90.9, 45.2), (90.7, 46.9),
    (87.8, 49.2), (85.6, 48.4), (85.5, 47.1), (82.9, 47.1), (82.3, 45.4), (80.0, 44.9),
    (80.4, 43.1), (80.2, 42.1), (78.1, 41.1), (76.4, 40.4), (73.8, 39.7), (73.6, 38.4),
    (74.9, 37.2), (77.8, 35.5), (78.9, 33.5), (78.5, 32.5), (79.2, 31.2), (81.1, 30.1),
    (84.1, 28.8), (86.1, 27.9), (88.1, 27.9), (88.9, 27.3), (89.6, 28.2), (91.6, 27.8),
    (94.2, 29.0), (97.0, 28.3), (98.3, 27.5), (98.7, 25.9), (97.6, 24.7), (97.6, 23.9),
    (98.8, 24.1), (98.9, 23.2), (99.5, 22.9), (99.2, 22.1), (100.2, 21.4), (101.2, 21.5),
    (101.2, 21.2), (101.8, 21.2), (101.6, 22.3), (102.4, 22.7), (103.95, 22.5), (105.3, 23.3),
    (106.7, 22.8), (106.6, 22.0), (107.9, 21.5), (108.2, 21.4), (107.6, 20.2), (108.3, 18.3),
    (109.5, 17.6), (111.6, 19.6), (113.3, 21.6),
    # Macau stays outside: up the channel of Hengqin, along the Inner Harbour, past Gongbei.
    (113.57, 22.0), (113.557, 22.09), (113.55, 22.12), (113.541, 22.15), (113.529, 22.175),
    (113.53, 22.2), (113.537, 22.2125), (113.549, 22.2165), (113.565, 22.215), (113.64, 22.2),
    # Hong Kong stays outside: Deep Bay, the Shenzhen river, Sha Tau Kok, Mirs Bay.
    (113.83, 22.15), (113.84, 22.4), (113.88, 22.435), (113.95, 22.46), (114.0, 22.505),
    (114.045, 22.504), (114.055, 22.507), (114.067, 22.5155), (114.08, 22.527), (114.113, 22.5302),
    (114.122, 22.536), (114.135, 22.5395), (114.155, 22.5565), (114.18, 22.558), (114.2, 22.556),
    (114.222, 22.548), (114.25, 22.55), (114.28, 22.565), (114.4, 22.575), (114.46, 22.55),
    (114.47, 22.43), (114.51, 22.1), (117.0, 22.8), (118.0, 24.0),
    # Kinmen and Matsu stay outside: the line runs between them and the coast.
    (118.15, 24.3), (118.195, 24.4), (118.21, 24.47), (118.3, 24.515), (118.37, 24.52),
    (118.4, 24.537), (118.43, 24.54), (118.56, 24.48), (119.3, 25.0), (119.9, 25.4),
    (119.87, 26.05), (119.88, 26.25), (119.92, 26.3), (120.0, 26.4), (120.6, 26.6), (121.9, 27.8),
    (122.9, 29.7), (123.0, 31.0), (122.2, 32.2), (121.2, 33.6), (120.2, 34.8), (121.0, 35.7),
    (122.9, 36.7), (122.9, 37.6), (121.6, 38.5), (122.2, 39.0), (123.5, 39.5),
)  # fmt: skip


class Crs(StrEnum):
    """The coordinate reference systems that callers may name."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def to_wgs84(lon: float, lat: float, crs: Crs) -> tuple[float, float]:
    """Turn degrees of `crs` into WGS-84; what lies outside the mainland is returned as it is."""
    match crs:
        case Crs.WGS84:
            return lon, lat
        case Crs.GCJ02:
            return _invert(_gcj_of_wgs, lon, lat)
        case Crs.BD09:
            return _invert(_bd_of_wgs, lon, lat)


def from_wgs84(lon: float, lat: float, crs: Crs) -> tuple[float, float]:
    """Turn WGS-84 degrees into `crs`; what lies outside the mainland is returned as it is."""
    match crs:
        case Crs.WGS84:
            return lon, lat
        case Crs.GCJ02:
            return _gcj_of_wgs(lon, lat) if is_mainland(lon, lat) else (lon, lat)
        case Crs.BD09:
            return _bd_of_wgs(lon, lat) if is_mainland(lon, lat) else (lon, lat)


def is_mainland(lon: float, lat: float) -> bool:
    """Tell whether maps of this place (WGS-84) are shifted, by the coarse polygon."""
    inside = False
    previous_lon, previous_lat = _MAINLAND[-1]
    for corner_lon, corner_lat in _MAINLAND:
        if (corner_lat > lat) != (previous_lat > lat):
            share = (lat - corner_lat) / (previous_lat - corner_lat)
            inside ^= lon < corner_lon + share * (previous_lon - corner_lon)
        previous_lon, previous_lat = corner_lon, corner_lat
    return inside


def _invert(
    shifted: Callable[[float, float], tuple[float, float]],
    lon: float,
    lat: float,
) -> tuple[float, float]:
    """Find the point that `shifted` moves to (lon, lat), unless that point is never shifted."""
    guess_lon, guess_lat = lon, lat
    for _ in range(_MAX_ROUNDS):
        at_lon, at_lat = shifted(guess_lon, guess_lat)
        error_lon, error_lat = lon - at_lon, lat - at_lat
        guess_lon, guess_lat = guess_lon + error_lon, guess_lat + error_lat
        if max(abs(error_lon), abs(error_lat)) < _CLOSE_DEG:
            break
    # The origin decides: a shifted point may lie just across the border from where it came.
    return (guess_lon, guess_lat) if is_mainland(guess_lon, guess_lat) else (lon, lat)


def _bd_of_wgs(lon: float, lat: float) -> tuple[float, float]:
    return _bd_of_gcj(*_gcj_of_wgs(lon, lat))


def _bd_of_gcj(lon: float, lat: float) -> tuple[float, float]:
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BAIDU_TURN)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BAIDU_TURN)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def _gcj_of_wgs(lon: float, lat: float) -> tuple[float, float]:
    east, north = _shift(lon - 105.0, lat - 35.0)
    radians = math.radians(lat)
    curve = 1 - _ECCENTRICITY_SQ * math.sin(radians) ** 2
    meridian_m = _AXIS_M * (1 - _ECCENTRICITY_SQ) / curve**1.5
    parallel_m = _AXIS_M / math.sqrt(curve) * math.cos(radians)
    return lon + math.degrees(east / parallel_m), lat + math.degrees(north / meridian_m)


def _shift(x: float, y: float) -> tuple[float, float]:
    """Give the published shift in metres east and north at (x, y) degrees from 105 E, 35 N."""
    pi, root = math.pi, math.sqrt(abs(x))
    both = (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
    north += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * pi) + 320.0 * math.sin(y / 30.0 * pi)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
    east += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    return east, north
