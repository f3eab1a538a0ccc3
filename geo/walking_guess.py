"""How long a walk is where no street tells: 1.35 times the straight line."""

import math

import numpy as np
from numpy.typing import NDArray

from geo.position import EARTH_RADIUS_M, Position, distance_m
from geo.walking_arrays import Floats, Snaps
from geo.walking_kernel import DETOUR_FACTOR


def metres(origin: Position, target: Position) -> float:
    """Guess the metres between two places."""
    return distance_m(origin, target) * DETOUR_FACTOR


def fill(
    effort: NDArray[np.float64],
    is_guess: NDArray[np.bool_],
    sources: tuple[Floats, Floats],
    targets: tuple[Floats, Floats],
) -> None:
    """Put guesses where `is_guess` says so; rows of sources, columns of targets."""
    rows, columns = np.nonzero(is_guess)
    lon, lat = targets
    effort[rows, columns] = DETOUR_FACTOR * _great_circles(
        lon[columns], lat[columns], sources[0][rows], sources[1][rows]
    )


def nearest(
    effort: Floats,
    rows: NDArray[np.int64],
    targets: tuple[Floats, Floats],
    sources: Snaps,
    limit: float,
) -> None:
    """Lower the effort of these targets to the guess from the nearest source."""
    reach = limit / DETOUR_FACTOR / math.radians(EARTH_RADIUS_M)
    lon, lat = targets
    for source_lon, source_lat in zip(sources.lon.tolist(), sources.lat.tolist(), strict=True):
        near = rows[np.abs(lat[rows] - source_lat) <= reach]
        if len(near):
            line_m = _great_circles(lon[near], lat[near], source_lon, source_lat)
            effort[near] = np.minimum(effort[near], line_m * DETOUR_FACTOR)


def _great_circles(
    lon_a: Floats, lat_a: Floats, lon_b: Floats | float, lat_b: Floats | float
) -> Floats:
    phi, other = np.radians(lat_a), np.radians(lat_b)
    half_phi = np.sin((phi - other) / 2)
    half_lam = np.sin(np.radians(lon_a - lon_b) / 2)
    chord = half_phi**2 + np.cos(phi) * np.cos(other) * half_lam**2
    line: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(chord))
    return line
