"""Put places on the streets: those in a building by its doors, all others straight.

A place in, or on the outline of, a building with doors is put on the nearest street of each door
that has one near enough: first straight to the door, then straight on to the street. Of overlapping
buildings the smallest counts. Without such a door it goes straight through the wall.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import (
    walking_arrays,
    walking_doors_kernel,
    walking_grid,
    walking_kernel,
    walking_threads,
)
from geo.position import EARTH_RADIUS_M
from geo.walking_arrays import Buildings, Floats, Graph, Snaps

_DEGREE_M = math.radians(EARTH_RADIUS_M)

#: Fewer places than this are snapped before another thread has begun.
_PLACES_A_THREAD = 400

_Indices = NDArray[np.int64]


def snap(
    graph: Graph, buildings: Buildings, lon: Floats, lat: Floats, *, most_off_m: float
) -> Snaps:
    """Put every place on its street or, in a building, on the streets of its doors.

    The rows of a place lie side by side, in the order of their chains.
    """
    snaps = walking_arrays.empty_snaps(lon, lat)
    _snap(graph, snaps, most_off_m)
    if not len(buildings.door):
        return snaps
    inside = np.empty(len(lon), np.int32)
    walking_doors_kernel.find(buildings, lon, lat, inside)
    if (inside < 0).all():
        return snaps
    by_doors = _by_doors(buildings, snaps, inside)
    _snap(graph, by_doors, most_off_m)
    return _joined(snaps, by_doors, buildings)


def _snap(graph: Graph, snaps: Snaps, most_off_m: float) -> None:
    if len(snaps.piece) < 2 * _PLACES_A_THREAD:
        walking_kernel.snap(graph, snaps, most_off_m)
        return

    def some(first: int, after: int) -> None:
        rows = Snaps._make(column[first:after] for column in snaps)
        walking_kernel.snap(graph, rows, most_off_m)

    walking_threads.share(some, len(snaps.piece), least=_PLACES_A_THREAD)


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
