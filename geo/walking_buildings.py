"""Lay out the buildings that have doors, so that the one in which a place is is found quickly.

Light: a build of the walking network needs no compiled loops.
"""

import math

import numpy as np

from geo import earth, walking_grid
from geo.doors import Doors
from geo.walking_arrays import Buildings

_CELL_M = 50.0
_MARGIN_M = 1.0  # a building's box is so much wider than its walls, as one may stand on them
_DEGREE_M = math.radians(earth.RADIUS_M)


def index(found: Doors) -> Buildings:
    """Sort the buildings by size, and into the cells of a grid."""
    found = _smallest_first(found)
    if not len(found.door):
        return nothing()
    low = np.minimum(found.wall[:, :2], found.wall[:, 2:])
    high = np.maximum(found.wall[:, :2], found.wall[:, 2:])
    low = np.minimum.reduceat(low, found.wall_start[:-1])
    high = np.maximum.reduceat(high, found.wall_start[:-1])
    middle = math.radians(float(low[:, 1].min() + high[:, 1].max()) / 2)
    metre = np.array([1 / max(0.01, math.cos(middle)), 1.0]) / _DEGREE_M
    low, high, cell = low - _MARGIN_M * metre, high + _MARGIN_M * metre, _CELL_M * metre
    corner = low.min(axis=0)
    first = ((low - corner) / cell).astype(np.int64)
    last = ((high - corner) / cell).astype(np.int64)
    columns, rows = last.max(axis=0) + 1
    number, building = walking_grid.cells(first, last, int(columns))
    return Buildings(
        wall=found.wall,
        wall_start=found.wall_start.astype(np.int32),
        door=found.door,
        door_start=found.door_start.astype(np.int32),
        grid=np.array([*corner, *cell, columns, rows], np.float64),
        cell=number.astype(np.int32),
        cell_building=building.astype(np.int32),
    )


def nothing() -> Buildings:
    """Give what a town without doors has."""
    return Buildings(
        wall=np.zeros((0, 4)),
        wall_start=np.zeros(1, np.int32),
        door=np.zeros((0, 2)),
        door_start=np.zeros(1, np.int32),
        grid=np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
        cell=np.zeros(0, np.int32),
        cell_building=np.zeros(0, np.int32),
    )


def tiny() -> Buildings:
    """Make one building with a door, its arrays of the same types as a mapped city's."""
    wall = np.array([[0.0, 0.0, 1e-4, 0.0], [1e-4, 0.0, 0.0, 1e-4], [0.0, 1e-4, 0.0, 0.0]])
    one = np.array([0, 1])
    made = index(Doors(wall, 3 * one, np.zeros((1, 2)), one))
    for array in made:
        array.flags.writeable = False  # like mapped ones; otherwise other code would be compiled
    return made


def _smallest_first(found: Doors) -> Doors:
    a_lon, a_lat, b_lon, b_lat = (found.wall - np.tile(found.wall[:1, :2], 2)).T
    twice = np.concatenate([[0.0], np.cumsum(a_lon * b_lat - b_lon * a_lat)])
    size = np.abs(np.diff(twice[found.wall_start]))
    order = np.argsort(size, kind="stable")
    walls, doors = np.diff(found.wall_start)[order], np.diff(found.door_start)[order]
    return Doors(
        found.wall[walking_grid.runs(found.wall_start[order], walls)],
        np.concatenate([[0], np.cumsum(walls)]),
        found.door[walking_grid.runs(found.door_start[order], doors)],
        np.concatenate([[0], np.cumsum(doors)]),
    )
