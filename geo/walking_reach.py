"""Areas that one can walk to in a time, drawn from an expansion.

The rule of an area: every stretch of street that is reached in time, cut where time runs out,
widened to about `WIDE_M` on each side, on a grid of `_CELL_M` (coarser for areas of more than
`_CELLS` cells across), simplified by less than a cell. Ways off the streets at the far end are not
in it, and holes stay holes.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from geo import walking_kernel
from geo.position import EARTH_RADIUS_M, Position
from geo.walking_arrays import INWARD, OUTWARD, Floats, Graph, Snaps, Workspace
from geo.walking_kernel import DETOUR_FACTOR

WIDE_M = 30.0
_CELL_M = 12.0
_CELLS = 400
_DEGREE_M = math.radians(EARTH_RADIUS_M)
_STAIR_EXTRA = walking_kernel.STAIR_EXTRA


@dataclass(frozen=True, slots=True)
class Area:
    """A MultiPolygon in degrees; `is_estimate` when it is a circle, for want of streets."""

    shape: shapely.MultiPolygon
    is_estimate: bool

    def geojson(self) -> dict[str, Any]:
        """Give the GeoJSON geometry."""
        polygons = [
            [[list(point) for point in ring.coords] for ring in (part.exterior, *part.interiors)]
            for part in self.shape.geoms
        ]
        return {"type": "MultiPolygon", "coordinates": polygons}


def guess(origin: Position, reach_m: float) -> Area:
    """Draw the circle that the straight-line estimate gives."""
    plane = _Plane(origin)
    return Area(
        plane.inwards(shapely.Point(0, 0).buffer(reach_m / DETOUR_FACTOR)), is_estimate=True
    )


def area(graph: Graph, work: Workspace, source: Snaps, limit: float, *, widest: float) -> Area:
    """Draw what an expansion from one place has reached within `limit` level metres.

    `widest` is the largest limit drawn of this expansion: areas on one grid lie in each other.
    """
    origin = Position(float(source.lon[0]), float(source.lat[0]))
    plane = _Plane(origin)
    first, low, high = _stretches(graph, work, source, limit)
    ax, ay = plane.outwards(graph.point_lon[first], graph.point_lat[first])
    bx, by = plane.outwards(graph.point_lon[first + 1], graph.point_lat[first + 1])
    a, way = np.column_stack([ax, ay]), np.column_stack([bx - ax, by - ay])
    cell_m = max(_CELL_M, 2 * widest / _CELLS)
    # Points closer to each other than cells are wide, the place itself among them.
    count = np.maximum(2, np.hypot(*way.T) * (high - low) / (0.6 * cell_m) + 2).astype(np.int64)
    piece = np.repeat(np.arange(len(count)), count)
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    share = low[piece] + (high - low)[piece] * nth / (count - 1)[piece]
    points = np.vstack([a[piece] + share[:, None] * way[piece], [[0.0, 0.0]]])
    return Area(plane.inwards(_widened(points, cell_m)), is_estimate=False)


def _widened(points: Floats, cell_m: float) -> shapely.Geometry:
    """Draw the outline of all grid cells near some points."""
    reach = WIDE_M / cell_m
    border = math.ceil(reach) + 1
    corner = (np.floor(points.min(axis=0) / cell_m) - border) * cell_m
    at = ((points - corner) / cell_m).astype(np.int64)
    cells = np.zeros(at.max(axis=0) + border + 1, np.bool_)
    cells[at[:, 0], at[:, 1]] = True
    x, y = np.mgrid[-border : border + 1, -border : border + 1]
    cells = ndimage.binary_dilation(cells, x * x + y * y <= max(1.0, reach * reach))
    edge = np.diff(np.pad(cells.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (column, start), (_, end) = np.nonzero(edge == 1), np.nonzero(edge == -1)
    west, south = corner[0] + column * cell_m, corner[1] + start * cell_m
    runs = shapely.box(west, south, west + cell_m, corner[1] + end * cell_m)
    return shapely.union_all(runs).simplify(0.8 * cell_m)


def _stretches(
    graph: Graph, work: Workspace, source: Snaps, limit: float
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """List the pieces that are walked in time: their first point, from which share, to which."""
    from_s, to_s = _arrivals(graph, work)
    own = int(source.chain[0])
    is_near = (from_s < limit) | (to_s < limit)
    is_near[own] = True
    chains = np.flatnonzero(is_near)
    count = graph.chain_start[chains + 1] - graph.chain_start[chains] - 1
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    first = np.repeat(graph.chain_start[chains], count) + nth
    chain = np.repeat(chains, count)
    along = graph.point_length + _STAIR_EXTRA * graph.point_stairs
    begin, end = along[first], along[first + 1]
    whole = along[graph.chain_start[chain + 1] - 1]
    piece = np.maximum(end - begin, 1e-9)
    ahead = np.clip((limit - from_s[chain] - begin) / piece, 0.0, 1.0)
    back = np.clip((limit - to_s[chain] - (whole - end)) / piece, 0.0, 1.0)
    parts = [(np.zeros(len(first)), ahead), (1 - back, np.ones(len(first)))]
    is_own = chain == own
    if is_own.any():
        here = float(source.length[0] + _STAIR_EXTRA * source.stairs[0])
        spare = limit - float(source.off[0])
        low, high = (here - spare - begin) / piece, (here + spare - begin) / piece
        parts.append((np.where(is_own, low.clip(0, 1), 0.0), np.where(is_own, high.clip(0, 1), 0)))
    lows, highs = (np.concatenate(values) for values in zip(*parts, strict=True))
    rows = np.flatnonzero(highs > lows)
    return np.tile(first, len(parts))[rows], lows[rows], highs[rows]


def _arrivals(graph: Graph, work: Workspace) -> tuple[Floats, Floats]:
    """Give for each chain the effort at which its two ends were reached and may be walked from."""
    is_outward = int(work.ways[0]) == OUTWARD
    nodes = (
        (graph.chain_in_from, graph.chain_in_to)
        if is_outward
        else (graph.chain_from, graph.chain_to)
    )
    needed = (OUTWARD, INWARD) if is_outward else (INWARD, OUTWARD)
    effort = np.where(work.stamp == work.round[0], work.effort, np.inf)
    from_s, to_s = (
        np.where(graph.chain_ways & bit, effort[node], np.inf)
        for node, bit in zip(nodes, needed, strict=True)
    )
    return from_s, to_s


@dataclass(frozen=True, slots=True)
class _Plane:
    """Metres east and north of a place, good for some tens of kilometres."""

    origin: Position

    def outwards(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        x = (lon - self.origin.lon) * _DEGREE_M * math.cos(math.radians(self.origin.lat))
        return x, (lat - self.origin.lat) * _DEGREE_M

    def inwards(self, shape: shapely.Geometry) -> shapely.MultiPolygon:
        wide = _DEGREE_M * math.cos(math.radians(self.origin.lat))
        here = [self.origin.lon, self.origin.lat]

        def degrees(points: Floats) -> Floats:
            return (points / [wide, _DEGREE_M] + here).round(6)

        turned = shapely.transform(shape, degrees)
        return (
            turned if isinstance(turned, shapely.MultiPolygon) else shapely.MultiPolygon([turned])
        )
