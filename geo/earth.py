"""The size of the Earth, and the one measure that programs without a database need of it."""

import math

RADIUS_M = 6_371_008.8  # mean radius (IUGG); within 0.3 % of the spheroid


def great_circle_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Measure the great circle between two places in degrees, in metres on the mean sphere."""
    lat_a, lat_b = math.radians(lat_a), math.radians(lat_b)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lon = math.sin(math.radians(lon_b - lon_a) / 2)
    chord = half_lat * half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon * half_lon
    return 2 * RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))
