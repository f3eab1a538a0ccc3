"""Compiled loops of the walking network: snapping to streets and bounded expansion along them.

The interpreter's lock is released, so threads may expand side by side, each with its own
`Workspace`. The first call in a process loads the compiled code, the very first one compiles it.
"""

import math

import numpy as np

from geo import compiling
from geo.position import EARTH_RADIUS_M
from geo.walking_arrays import (
    INWARD,
    OUTWARD,
    STAIR_FACTOR,
    Answers,
    Graph,
    Snaps,
    Workspace,
)

DETOUR_FACTOR = 1.35  # walked over straight, where no street tells (median of three real cities)

STAIR_EXTRA = STAIR_FACTOR - 1.0
_DEGREE_M = math.radians(EARTH_RADIUS_M)
_WAITING = -2  # a seed that is not in the heap yet
_CORNER_M2 = 4e-4  # 2 cm: at a corner of streets one stands on one that is open both ways
START, FINISH = 0, 1  # the ends of a chain

compiled = compiling.compiled


@compiled
def _piece_off(
    graph: Graph, piece: int, place: tuple[float, float], metre: tuple[float, float]
) -> tuple[float, float]:
    """Measure the squared metres from a place to a piece, and the share of it that lies before."""
    ax = (graph.point_lon[piece] - place[0]) * metre[0]
    ay = (graph.point_lat[piece] - place[1]) * metre[1]
    dx = (graph.point_lon[piece + 1] - place[0]) * metre[0] - ax
    dy = (graph.point_lat[piece + 1] - place[1]) * metre[1] - ay
    square = dx * dx + dy * dy
    share = -(ax * dx + ay * dy) / square if square > 0.0 else 0.0
    share = min(1.0, max(0.0, share))
    ax, ay = ax + share * dx, ay + share * dy
    return ax * ax + ay * ay, share


@compiled
def _piece_near(
    graph: Graph,
    piece: int,
    place: tuple[float, float],
    metre: tuple[float, float],
    least: float,
) -> tuple[float, float]:
    """Measure like `_piece_off`; of streets that meet there an open one comes first."""
    square, share = _piece_off(graph, piece, place, metre)
    if square < least:
        chain = graph.point_chain[piece]
        is_public = graph.chain_from[chain] == graph.chain_in_from[chain]
        if not is_public or graph.chain_ways[chain] != OUTWARD | INWARD:
            square += _CORNER_M2
    return square, share


@compiled
def _nearest_in_cell(
    graph: Graph,
    cell: int,
    place: tuple[float, float],
    metre: tuple[float, float],
    best: tuple[int, float, float],
) -> tuple[int, float, float]:
    """Look for a nearer piece than the best so far: piece, share, squared metres."""
    nearest, best_share, least = best
    for entry in range(graph.cell_start[cell], graph.cell_start[cell + 1]):
        piece = int(graph.cell_piece[entry])
        square, share = _piece_near(graph, piece, place, metre, least)
        if square < least:
            nearest, best_share, least = piece, share, square
    return nearest, best_share, least


@compiled
def _gap(cells: int, share: float) -> float:
    """Measure in cells how far a cell begins, so many further; `share` of its own lies before."""
    if cells > 0:
        return cells - share
    return share - cells - 1 if cells < 0 else 0.0


@compiled
def _snap_one(graph: Graph, lon: float, lat: float, most_off: float) -> tuple[int, float, float]:
    """Find the nearest piece by looking at rings of cells round the place: piece, share, off.

    Measured on a plane that touches the Earth at the place: exact to millimetres that near.
    """
    west, south, cell_lon, cell_lat = graph.grid[0], graph.grid[1], graph.grid[2], graph.grid[3]
    columns, rows = int(graph.grid[4]), int(graph.grid[5])
    metre = (_DEGREE_M * math.cos(math.radians(lat)), _DEGREE_M)
    x_cells, y_cells = (lon - west) / cell_lon, (lat - south) / cell_lat
    column, row = math.floor(x_cells), math.floor(y_cells)
    # 0.999: cells further north are a little narrower than the place's own.
    cell_x, cell_y = 0.999 * cell_lon * metre[0], cell_lat * metre[1]
    cell_m = min(cell_x, cell_y)
    # What the rings so far surely cover: first the way to the nearest wall of the place's own cell.
    x_in, y_in = x_cells - column, y_cells - row
    covered = min(min(x_in, 1 - x_in) * cell_x, min(y_in, 1 - y_in) * cell_y)
    best, best_share, least = -1, 0.0, most_off * most_off
    ring = 0
    while True:
        for y in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
            y_off = _gap(y - row, y_in) * cell_y
            step = 1 if y in (row - ring, row + ring) else 2 * ring
            for x in range(column - ring, column + ring + 1, step):
                if x < 0 or x >= columns:
                    continue
                x_off = _gap(x - column, x_in) * cell_x
                if x_off * x_off + y_off * y_off >= least:
                    continue
                best, best_share, least = _nearest_in_cell(
                    graph, y * columns + x, (lon, lat), metre, (best, best_share, least)
                )
        if covered * covered >= least:
            return best, best_share, math.sqrt(least)
        covered += cell_m
        ring += 1


@compiled
def snap(graph: Graph, snaps: Snaps, most_off: float) -> None:
    """Put every place on the nearest street within `most_off` metres of it."""
    for i in range(len(snaps.lon)):
        piece, share, off = _snap_one(graph, snaps.lon[i], snaps.lat[i], most_off)
        snaps.piece[i] = piece
        if piece < 0:
            continue
        length, stairs = graph.point_length, graph.point_stairs
        snaps.chain[i] = graph.point_chain[piece]
        snaps.share[i] = share
        snaps.length[i] = length[piece] + share * (length[piece + 1] - length[piece])
        snaps.stairs[i] = stairs[piece] + share * (stairs[piece + 1] - stairs[piece])
        snaps.off[i] = off


@compiled
def push(work: Workspace, size: int, effort: float, node: int) -> int:
    """Put a node into the heap; gives its new size."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if work.heap_effort[parent] <= effort:
            break
        work.heap_effort[hole] = work.heap_effort[parent]
        work.heap_node[hole] = work.heap_node[parent]
        hole = parent
    work.heap_effort[hole] = effort
    work.heap_node[hole] = node
    return size + 1


@compiled
def drop_least(work: Workspace, size: int) -> int:
    """Take the least entry off the heap; gives its new size."""
    size -= 1
    effort, node = work.heap_effort[size], work.heap_node[size]
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and work.heap_effort[child + 1] < work.heap_effort[child]:
            child += 1
        if work.heap_effort[child] >= effort:
            break
        work.heap_effort[hole] = work.heap_effort[child]
        work.heap_node[hole] = work.heap_node[child]
        hole = child
    work.heap_effort[hole] = effort
    work.heap_node[hole] = node
    return size


@compiled
def _reach_node(
    work: Workspace, node: int, effort: float, length: float, via: tuple[int, int, int]
) -> None:
    work.stamp[node] = work.round[0]
    work.effort[node] = effort
    work.length[node] = length
    work.via_node[node], work.via_chain[node], work.source[node] = via


@compiled
def chain_effort(graph: Graph, chain: int) -> tuple[float, float]:
    """Give the metres of a whole chain, and those of them that are stairs."""
    last = graph.chain_start[chain + 1] - 1
    return graph.point_length[last], graph.point_stairs[last]


@compiled
def end(graph: Graph, chain: int, end: int, is_leaving: bool) -> int:
    """Give the junction at one end of a chain, -1 if one may not walk there (or come from it)."""
    ways = graph.chain_ways[chain]
    if is_leaving:
        if end == START:
            return graph.chain_from[chain] if ways & INWARD else -1
        return graph.chain_to[chain] if ways & OUTWARD else -1
    if end == START:
        return graph.chain_in_from[chain] if ways & OUTWARD else -1
    return graph.chain_in_to[chain] if ways & INWARD else -1


@compiled
def _seedend(work: Workspace, node: int, length: float, stairs: float, source: int) -> None:
    effort = length + STAIR_EXTRA * stairs
    if node >= 0 and (work.stamp[node] != work.round[0] or effort < work.effort[node]):
        _reach_node(work, node, effort, length, (-1, _WAITING, source))


@compiled
def _seed(graph: Graph, work: Workspace, sources: Snaps, first: int, after: int) -> int:
    """Start from both ends of the chains of these sources; gives the size of the heap."""
    is_leaving = work.ways[0] == OUTWARD
    for i in range(first, after):
        if sources.piece[i] < 0:
            continue
        chain, off = sources.chain[i], sources.off[i]
        length, stairs = sources.length[i], sources.stairs[i]
        all_length, all_stairs = chain_effort(graph, chain)
        node = end(graph, chain, START, is_leaving)
        _seedend(work, node, off + length, stairs, i)
        node = end(graph, chain, FINISH, is_leaving)
        _seedend(work, node, off + all_length - length, all_stairs - stairs, i)
    size = 0
    for i in range(first, after):
        if sources.piece[i] < 0:
            continue
        for side in (START, FINISH):
            node = end(graph, sources.chain[i], side, is_leaving)
            if node < 0:
                continue
            if work.via_chain[node] == _WAITING and work.effort[node] <= work.limit[0]:
                work.via_chain[node] = -1  # in the heap once, however many sources share it
                size = push(work, size, work.effort[node], node)
    return size


@compiled
def expand(
    graph: Graph, work: Workspace, sources: Snaps, rows: tuple[int, int], limit: float
) -> int:
    """Find the least effort from the sources to every node within `limit` (Dijkstra's algorithm).

    `rows` = the first source that counts, and the one after the last. `work.ways` says whether
    one walks from the sources or to them. Returns how many nodes were settled. A node holds an
    answer where `stamp` equals `round` and its effort is within the limit.
    """
    work.round[0] += 1
    work.limit[0] = limit
    now, ways, speed = work.round[0], work.ways[0], work.speed[0]
    size = _seed(graph, work, sources, rows[0], rows[1])
    settled = 0
    while size > 0:
        effort, node = work.heap_effort[0], work.heap_node[0]
        size = drop_least(work, size)
        if effort > work.effort[node]:
            continue  # left over from before a quicker way was found
        settled += 1
        length, source = work.length[node], work.source[node]
        for link in range(graph.out_start[node], graph.out_start[node + 1]):
            if graph.out_ways[link] & ways == 0:
                continue
            there = effort + graph.out_effort[link] + speed * graph.out_wait[link]
            other = graph.out_node[link]
            if there > limit or (work.stamp[other] == now and work.effort[other] <= there):
                continue
            via = (int(node), int(graph.out_chain[link]), int(source))
            _reach_node(work, other, there, length + graph.out_length[link], via)
            size = push(work, size, there, other)
    return settled


@compiled
def _straight_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    x = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return _DEGREE_M * math.hypot(x, lat_b - lat_a)


# How the quickest way comes to a target.
NOT_REACHED, FROM_START, FROM_END, ALONG, STRAIGHT = 0, 1, 2, 3, 4


@compiled
def _via_ends(
    graph: Graph, work: Workspace, target: Snaps, t: int
) -> tuple[float, float, int, int]:
    """Find the quickest way through either end of a target's chain: effort, length, how, source."""
    chain, now, off = target.chain[t], work.round[0], target.off[t]
    is_leaving = work.ways[0] == INWARD
    effort, length, how, source = np.inf, np.inf, NOT_REACHED, -1
    along, stairs = target.length[t], target.stairs[t]
    node = end(graph, chain, START, is_leaving)
    if node >= 0 and work.stamp[node] == now:
        effort = work.effort[node] + along + STAIR_EXTRA * stairs + off
        length, how, source = work.length[node] + along + off, FROM_START, work.source[node]
    all_length, all_stairs = chain_effort(graph, chain)
    along, stairs = all_length - along, all_stairs - stairs
    node = end(graph, chain, FINISH, is_leaving)
    if node >= 0 and work.stamp[node] == now:
        there = work.effort[node] + along + STAIR_EXTRA * stairs + off
        if there < effort:
            effort, length = there, work.length[node] + along + off
            how, source = FROM_END, work.source[node]
    return effort, length, how, source


@compiled
def along_chain(source: Snaps, s: int, target: Snaps, t: int, ways: int) -> tuple[float, float]:
    """Walk along the one chain on which both places stand: effort, length; infinite if one-way.

    Bits of `ways`: 1 towards the chain's end may be walked, 2 towards its start.
    """
    ahead = target.length[t] - source.length[s]
    if ahead != 0.0 and ways & (1 if ahead > 0.0 else 2) == 0:
        return np.inf, np.inf
    length = abs(ahead) + source.off[s] + target.off[t]
    return length + STAIR_EXTRA * abs(source.stairs[s] - target.stairs[t]), length


@compiled
def ways_on(graph: Graph, direction: int, chain: int) -> int:
    """Give the bits of `chain_ways` as seen by an expansion that goes with the walk or against."""
    ways = int(graph.chain_ways[chain])
    if direction == OUTWARD or ways == OUTWARD | INWARD:
        return ways
    return (OUTWARD | INWARD) - ways


@compiled
def measure(
    graph: Graph, work: Workspace, sources: Snaps, targets: Snaps, answers: Answers
) -> None:
    """Read the answers for all targets after `expand`; `sources` must be sorted by chain.

    Whether one goes straight is asked of the source that is nearest along the streets.
    """
    for t in range(len(targets.piece)):
        chain = targets.chain[t]
        if chain < 0:
            continue
        effort, length, how, source = _via_ends(graph, work, targets, t)
        s = np.searchsorted(sources.chain, chain)
        while s < len(sources.chain) and sources.chain[s] == chain:
            there, there_m = along_chain(
                sources, s, targets, t, ways_on(graph, work.ways[0], chain)
            )
            if there < effort:
                effort, length, how, source = there, there_m, ALONG, s
            s += 1
        if how == NOT_REACHED:
            continue
        off = sources.off[source] + targets.off[t]
        is_one = targets.building[t] >= 0 and targets.building[t] == sources.building[source]
        if is_one or effort - off <= off:  # mostly off the street: perhaps in the same building
            straight = straight_effort(sources, source, targets, t)
            if straight < effort:
                effort, length, how = straight, straight, STRAIGHT
        answers.effort[t], answers.length[t], answers.how[t] = effort, length, how


@compiled
def straight_effort(source: Snaps, s: int, target: Snaps, t: int) -> float:
    """Give the effort of going straight from a source to a target, infinite through known walls."""
    if source.building[s] != target.building[t]:
        return np.inf
    return DETOUR_FACTOR * _straight_m(source.lon[s], source.lat[s], target.lon[t], target.lat[t])
