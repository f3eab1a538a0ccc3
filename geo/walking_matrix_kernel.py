"""Compiled loop for whole matrices of walking times: an expansion for each source, times only.

Leaner than `walking_kernel.expand`: no metres, no way back, and all targets are read off at once.
"""

import numpy as np

from geo.walking_arrays import INWARD, OUTWARD, Cells, Floats, Graph, Ints, Rows, Snaps, Workspace
from geo.walking_kernel import (
    FINISH,
    STAIR_EXTRA,
    START,
    along_chain,
    chain_effort,
    compiled,
    drop_least,
    end,
    push,
    straight_effort,
    ways_on,
)


@compiled
def _attach(graph: Graph, places: Snaps, is_leaving: bool, nodes: Ints, efforts: Floats) -> float:
    """Note for each place the two junctions of its chain, and the effort between; the widest off.

    An end where one may not walk is the node after the last, which nobody reaches.
    """
    nowhere = len(graph.out_start) - 1
    most_off = 0.0
    for i in range(len(places.piece)):
        nodes[2 * i] = nodes[2 * i + 1] = nowhere
        efforts[2 * i] = efforts[2 * i + 1] = np.inf
        chain = places.chain[i]
        if places.piece[i] < 0:
            continue
        along = places.length[i] + STAIR_EXTRA * places.stairs[i]
        whole, stairs = chain_effort(graph, chain)
        most_off = max(most_off, places.off[i])
        first, last = end(graph, chain, START, is_leaving), end(graph, chain, FINISH, is_leaving)
        if first >= 0:
            nodes[2 * i], efforts[2 * i] = first, places.off[i] + along
        if last >= 0:
            rest = whole + STAIR_EXTRA * stairs - along
            nodes[2 * i + 1], efforts[2 * i + 1] = last, places.off[i] + rest
    return most_off


@compiled
def _spread(
    graph: Graph, work: Workspace, effort: Floats, seeds: tuple[int, int], touched: Ints
) -> int:
    """Lower `effort` from the two seeded nodes outwards; lists and counts the nodes touched."""
    ways, speed, limit = work.ways[0], work.speed[0], work.limit[0]
    size, count = 0, 0
    for node in seeds:
        if effort[node] <= limit:
            size = push(work, size, effort[node], node)
    while size > 0:
        here, node = work.heap_effort[0], work.heap_node[0]
        size = drop_least(work, size)
        if here > effort[node]:
            continue  # left over from before a quicker way was found
        for link in range(graph.out_start[node], graph.out_start[node + 1]):
            there = here + graph.out_effort[link] + speed * graph.out_wait[link]
            other = graph.out_node[link]
            if there > limit or there >= effort[other] or graph.out_ways[link] & ways == 0:
                continue
            if effort[other] == np.inf:
                touched[count] = other
                count += 1
            effort[other] = there
            size = push(work, size, there, other)
    return count


@compiled
def fill(graph: Graph, work: Workspace, sources: Snaps, targets: Snaps, efforts: Rows) -> None:
    """Fill one row of efforts for each source; what is beyond the limit is left as it is.

    `work` says how far one walks, which way and how fast.
    """
    limit = work.limit[0]
    many, junctions = len(targets.piece), len(graph.out_start) - 1
    seeds, seed_efforts = (
        np.empty(2 * len(sources.piece), np.int32),
        np.empty(2 * len(sources.piece)),
    )
    nodes, node_efforts = np.empty(2 * many, np.int32), np.empty(2 * many)
    _attach(graph, sources, work.ways[0] == OUTWARD, seeds, seed_efforts)
    most_off = _attach(graph, targets, work.ways[0] == INWARD, nodes, node_efforts)
    effort, touched = np.full(junctions + 1, np.inf), np.empty(junctions + 1, np.int32)
    for s in range(len(sources.piece)):
        first, last = seeds[2 * s], seeds[2 * s + 1]
        effort[first] = seed_efforts[2 * s]
        effort[last] = min(effort[last], seed_efforts[2 * s + 1])
        # Somewhat farther, where a way straight to a place might still be within the limit.
        far = 2.0 * (sources.off[s] + most_off) if sources.piece[s] >= 0 else 0.0
        work.limit[0] = max(limit, far)
        count = _spread(graph, work, effort, (first, last), touched)
        for t in range(many):
            there = min(
                effort[nodes[2 * t]] + node_efforts[2 * t],
                effort[nodes[2 * t + 1]] + node_efforts[2 * t + 1],
            )
            if targets.chain[t] == sources.chain[s] and targets.piece[t] >= 0:
                ways = ways_on(graph, work, targets.chain[t])
                there = min(there, along_chain(sources, s, targets, t, ways)[0])
            if there == np.inf:
                continue
            off = sources.off[s] + targets.off[t]
            if there - off <= off:  # mostly off the street anyway: perhaps in the same building
                there = min(there, straight_effort(sources, s, targets, t))
            if there <= limit:
                efforts[s, t] = there
        effort[first] = effort[last] = np.inf
        for i in range(count):
            effort[touched[i]] = np.inf


@compiled
def settle(
    found: Rows,
    near: tuple[Ints, Ints],
    far: tuple[Ints, Ints],
    is_turned: bool,
    answers: tuple[Rows, Cells],
) -> None:
    """Take the least of the doors of each place, between places that streets join.

    `near` and `far` = the place and the part of the network of each row and column of `found`.
    `answers` = efforts, and bytes that become 0 where any two doors are joined; with `is_turned`
    their columns are the rows of `found`.
    """
    efforts, is_apart = answers
    for i in range(len(found)):
        for j in range(found.shape[1]):
            if near[1][i] != far[1][j]:
                continue
            row, column = (far[0][j], near[0][i]) if is_turned else (near[0][i], far[0][j])
            is_apart[row, column] = 0
            efforts[row, column] = min(efforts[row, column], found[i, j])
