"""Trace the line of a walk back through an expansion from its start."""

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays, walking_kernel
from geo.walking_arrays import Floats, Graph, Snaps, Workspace

Line = NDArray[np.float64]  # rows of longitude and latitude


def trace(graph: Graph, work: Workspace, source: Snaps, target: Snaps, how: int) -> Line:
    """Give the line from the one source to the one target; `how` is what `measure` answered."""
    parts = [_place(source), _street_point(graph, source)]
    if how == walking_kernel.ALONG:
        parts.append(_between(graph, source, target))
    elif how in (walking_kernel.FROM_START, walking_kernel.FROM_END):
        parts += _through_junctions(graph, work, source, target, how)
    elif how == walking_kernel.STRAIGHT:
        return np.vstack([_place(source), _place(target)])
    parts += [_street_point(graph, target), _place(target)]
    line = np.vstack(parts)
    is_new = np.ones(len(line), bool)
    is_new[1:] = (line[1:] != line[:-1]).any(axis=1)
    return line[is_new]


def _through_junctions(
    graph: Graph, work: Workspace, source: Snaps, target: Snaps, how: int
) -> list[Line]:
    is_from_start = how == walking_kernel.FROM_START
    ends = graph.chain_in_from if is_from_start else graph.chain_in_to
    node = int(ends[target.chain[0]])
    backwards = [_to_end(graph, target, is_start=is_from_start)]
    while (before := int(work.via_node[node])) >= 0:
        chain = int(work.via_chain[node])
        if chain >= 0:
            points = _points(graph, graph.chain_start[chain], graph.chain_start[chain + 1])
            is_back = node in (graph.chain_from[chain], graph.chain_in_from[chain])
            backwards.append(points if is_back else points[::-1])
        node = before
    first = _to_end(graph, source, is_start=_leaves_by_start(graph, source, node))
    return [first, *(part[::-1] for part in reversed(backwards))]


def _leaves_by_start(graph: Graph, source: Snaps, node: int) -> bool:
    """Tell by which end of its chain the walk leaves; on a ring, where both are one, the nearer."""
    chain = int(source.chain[0])
    is_start, is_end = graph.chain_from[chain] == node, graph.chain_to[chain] == node
    if is_start and is_end:
        last = graph.chain_start[chain + 1] - 1
        extra = walking_arrays.STAIR_FACTOR - 1
        whole = graph.point_length[last] + extra * graph.point_stairs[last]
        return bool(source.length[0] + extra * source.stairs[0] <= whole / 2)
    return bool(is_start)


def _place(snap: Snaps) -> Line:
    return np.array([[snap.lon[0], snap.lat[0]]])


def _street_point(graph: Graph, snap: Snaps) -> Line:
    piece, share = int(snap.piece[0]), snap.share[0]
    ends = _points(graph, piece, piece + 2)
    point: Line = ends[:1] + share * (ends[1:] - ends[:1])
    return point


def _to_end(graph: Graph, snap: Snaps, *, is_start: bool) -> Line:
    """Give the shape points from a place on a chain to one of the chain's ends."""
    chain, piece = int(snap.chain[0]), int(snap.piece[0])
    if is_start:
        return _points(graph, graph.chain_start[chain], piece + 1)[::-1]
    return _points(graph, piece + 1, graph.chain_start[chain + 1])


def _between(graph: Graph, source: Snaps, target: Snaps) -> Line:
    low, high = int(source.piece[0]), int(target.piece[0])
    if low <= high:
        return _points(graph, low + 1, high + 1)
    return _points(graph, high + 1, low + 1)[::-1]


def _points(graph: Graph, first: int, end: int) -> Line:
    lon: Floats = graph.point_lon[first:end]
    return np.column_stack([lon, graph.point_lat[first:end]])
