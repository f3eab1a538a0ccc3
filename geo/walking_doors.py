"""Put places on the streets: those in a building by its doors, all others straight.

A place in, or on the outline of, a building with doors is put on the nearest street of each door
that has one near enough: first straight to the door, then straight on to the street. Of overlapping
buildings the smallest counts. Without such a door it goes straight through the wall.
"""

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays, walking_doors_kernel, walking_grid, walking_kernel
from geo.doors import Doors
from geo.position import EARTH_RADIUS_M
from geo.walking_arrays import Buildings, Floats, Graph, Snaps

_CELL_M = 50.0
_MARGIN_M = 1.0  # a building's box is so much wider than its walls, as one may stand on them
_DEGREE_M = math.radians(EARTH_RADIUS_M)

_Indices = NDArray[np.int64]
_Value = TypeVar("_Value", np.float64, np.bool_)


def snap(
    graph: Graph, buildings: Buildings, lon: Floats, lat: Floats, *, most_off_m: float
) -> Snaps:
    """Put every place on its street or, in a building, on the streets of its doors.

    The rows of a place lie side by side, in the order of their chains.
    """
    snaps = walking_arrays.empty_snaps(lon, lat)
    walking_kernel.snap(graph, snaps, most_off_m)
    if not len(buildings.door):
        return snaps
    inside = np.empty(len(lon), np.int32)
    walking_doors_kernel.find(buildings, lon, lat, inside)
    if (inside < 0).all():
        return snaps
    by_doors = _by_doors(buildings, snaps, inside)
    walking_kernel.snap(graph, by_doors, most_off_m)
    return _joined(snaps, by_doors, buildings)


def _by_doors(buildings: Buildings, plain: Snaps, inside: NDArray[np.int32]) -> Snaps:
    """Let every door of the building of a place stand for the place."""
    rows = np.flatnonzero(inside >= 0)
    first = buildings.door_start[inside[rows]].astype(np.int64)
    count = buildings.door_start[inside[rows] + 1] - first
    door = walking_grid.runs(first, count)
    lon, lat = np.ascontiguousarray(buildings.door[door].T)
    owner = np.repeat(rows, count)
    return walking_arrays.empty_snaps(lon, lat)._replace(
        place=plain.place[owner], building=inside[owner], door=door.astype(np.int32)
    )


def _joined(plain: Snaps, by_doors: Snaps, buildings: Buildings) -> Snaps:
    """Replace the places that have a door with a street near enough by these doors."""
    doors = walking_arrays.pick(by_doors, np.flatnonzero(by_doors.piece >= 0))
    lon, lat = plain.lon[doors.place], plain.lat[doors.place]
    door_lon, door_lat = buildings.door[doors.door].T
    wide = np.cos(np.radians((door_lat + lat) / 2))
    inside_m = _DEGREE_M * np.hypot((door_lon - lon) * wide, door_lat - lat)
    doors = doors._replace(lon=lon, lat=lat, off=doors.off + inside_m)
    others = walking_arrays.pick(plain, np.flatnonzero(~np.isin(plain.place, doors.place)))
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(others, name), getattr(doors, name)])
        for name in Snaps._fields
    }
    both = Snaps(**columns)
    return walking_arrays.pick(both, np.lexsort((both.chain, both.place)))


def quickest(effort: Floats, place: NDArray[np.int32], places: int) -> _Indices | slice:
    """Give for each place the row by whose door one is quickest."""
    if len(place) == places:
        return slice(None)
    order = np.lexsort((effort, place))
    return order[np.searchsorted(place[order], np.arange(places))]


def fold(
    found: NDArray[_Value], near: NDArray[np.int32], far: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[_Value]]:
    """Take the least of the doors of each place from a matrix of doors.

    `near` = the places of its rows, `far` of its columns, in order. Gives the places of the rows
    that are left; a column is left for each place.
    """
    if (far[1:] == far[:-1]).any():
        found = np.minimum.reduceat(found, _firsts(far), axis=1)
    order = np.argsort(near, kind="stable")
    firsts = _firsts(near[order])
    if len(firsts) == len(near):
        return near, found
    return near[order][firsts], np.minimum.reduceat(found[order], firsts, axis=0)


def _firsts(place: NDArray[np.int32]) -> _Indices:
    return np.flatnonzero(np.diff(place, prepend=-1))


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
