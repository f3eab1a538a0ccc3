"""Compiled loop that finds the building in which a place is."""

import math

import numpy as np

from geo.position import EARTH_RADIUS_M
from geo.walking_arrays import Buildings, Floats, Ints
from geo.walking_kernel import compiled

ON_WALL_M = 0.05  # so near to a wall one is in the building: maps are no finer
_DEGREE_M = math.radians(EARTH_RADIUS_M)


@compiled
def _holds(buildings: Buildings, building: int, lon: float, lat: float) -> bool:
    """Count the walls east of the place: odd is inside, yards and all; on a wall is inside too."""
    wide = _DEGREE_M * math.cos(math.radians(lat))
    is_inside = False
    for row in range(buildings.wall_start[building], buildings.wall_start[building + 1]):
        ax, ay = (buildings.wall[row, 0] - lon) * wide, (buildings.wall[row, 1] - lat) * _DEGREE_M
        bx, by = (buildings.wall[row, 2] - lon) * wide, (buildings.wall[row, 3] - lat) * _DEGREE_M
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        share = min(1.0, max(0.0, -(ax * dx + ay * dy) / square)) if square > 0.0 else 0.0
        if math.hypot(ax + share * dx, ay + share * dy) <= ON_WALL_M:
            return True
        if (ay > 0.0) != (by > 0.0) and ax - ay * dx / dy > 0.0:
            is_inside = not is_inside
    return is_inside


@compiled
def find(buildings: Buildings, lon: Floats, lat: Floats, found: Ints) -> None:
    """Note for every place the smallest building with doors in which it is, -1 for none."""
    west, south = buildings.grid[0], buildings.grid[1]
    columns, rows = int(buildings.grid[4]), int(buildings.grid[5])
    for i in range(len(lon)):
        found[i] = -1
        column = math.floor((lon[i] - west) / buildings.grid[2])
        row = math.floor((lat[i] - south) / buildings.grid[3])
        if column < 0 or row < 0 or column >= columns or row >= rows:
            continue
        cell = row * columns + column
        entry = np.searchsorted(buildings.cell, cell)
        while entry < len(buildings.cell) and buildings.cell[entry] == cell:
            building = buildings.cell_building[entry]
            if _holds(buildings, building, lon[i], lat[i]):
                found[i] = building
                break
            entry += 1
