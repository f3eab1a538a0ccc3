"""Compiled loops for whole matrices of walking times: sources near each other expand together.

Leaner than `walking_kernel.expand`: no metres, no way back, and all targets are read off at once.
An effort is a row with a lane for each of `LANES` sources, so that the processor lowers several at
a time. A junction is passed on again whenever one of its lanes was lowered, in about the order of
the least of them; what is found is what each source alone would find.
"""

from typing import NamedTuple

import numpy as np

from geo.walking_arrays import INWARD, OUTWARD, Cells, Floats, Graph, Ints, Lanes, Rows, Snaps
from geo.walking_kernel import (
    FINISH,
    STAIR_EXTRA,
    START,
    along_chain,
    chain_effort,
    compiled,
    end,
    straight_effort,
    ways_on,
)

LANES = 8
BUCKET_M = 20.0  # junctions that wait are in order to about so many metres
MOST_BUCKETS = 4096


class Sides(NamedTuple):
    """What one expands from, near, and reads off, far: places with what `attach` noted of them."""

    near: Snaps
    seed: Ints
    seed_effort: Floats
    far: Snaps
    goal: Ints
    goal_effort: Floats
    most_off: float  # of the far places
    limit: float
    speed: float
    is_turned: bool  # one expands against the walk: the near side has the columns of the answers


@compiled
def attach(graph: Graph, places: Snaps, is_leaving: bool, nodes: Ints, efforts: Floats) -> float:
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
def _slot(lanes: Lanes, node: int, count: int) -> tuple[int, int]:
    """Give the slot of a node, a new one if need be, and how many there are then."""
    slot = lanes.slot[node]
    if slot:
        return slot, count
    lanes.slot[node], lanes.node[count] = count, node
    lanes.pending[count], lanes.bucket[count] = np.inf, -1
    for lane in range(LANES):
        lanes.effort[count, lane] = np.inf
    return count, count + 1


@compiled
def _wait(lanes: Lanes, slot: int, effort: float, bucket: int) -> None:
    """Let a node wait for its turn; who waits already keeps its place, though it be late."""
    if effort >= lanes.pending[slot]:
        return
    lanes.pending[slot] = effort
    if lanes.bucket[slot] < 0:
        lanes.bucket[slot], lanes.after[slot] = bucket, lanes.head[bucket]
        lanes.head[bucket] = slot


@compiled
def _lower(lanes: Lanes, slot: int, other: int, effort: float) -> bool:
    """Lower all lanes of the other node to those of this one and so much more."""
    lowered = 0
    for lane in range(LANES):
        there, known = lanes.effort[slot, lane] + effort, lanes.effort[other, lane]
        is_less = there < known
        lowered += is_less
        lanes.effort[other, lane] = there if is_less else known
    return lowered > 0


@compiled
def _seed(lanes: Lanes, sides: Sides, rows: tuple[int, int], limit: float, width: float) -> int:
    """Start a lane for each of these rows from both junctions of its chain; counts the slots."""
    nowhere, count, last = len(lanes.slot) - 1, 1, len(lanes.head) - 1
    for row in range(rows[0], rows[1]):
        for i in (2 * row, 2 * row + 1):
            effort = sides.seed_effort[i]
            if sides.seed[i] == nowhere or effort > limit:
                continue
            slot, count = _slot(lanes, sides.seed[i], count)
            lane = row - rows[0]
            lanes.effort[slot, lane] = min(lanes.effort[slot, lane], effort)
            _wait(lanes, slot, effort, min(last, int(effort / width)))
    return count


@compiled
def _spread(graph: Graph, lanes: Lanes, count: int, way: tuple[int, float, float, float]) -> int:
    """Lower the efforts from the seeds outwards as far as the limit; counts the slots."""
    ways, speed, limit, width = way
    last = len(lanes.head) - 1
    for bucket in range(last + 1):
        while lanes.head[bucket] >= 0:
            slot = lanes.head[bucket]
            lanes.head[bucket] = lanes.after[slot]
            here, node = lanes.pending[slot], lanes.node[slot]
            lanes.pending[slot], lanes.bucket[slot] = np.inf, -1
            for link in range(graph.out_start[node], graph.out_start[node + 1]):
                effort = graph.out_effort[link] + speed * graph.out_wait[link]
                there = here + effort
                if there > limit or graph.out_ways[link] & ways == 0:
                    continue
                other, count = _slot(lanes, graph.out_node[link], count)
                if _lower(lanes, slot, other, effort):
                    _wait(lanes, other, there, max(bucket, min(last, int(there / width))))
    return count


@compiled
def _read(graph: Graph, lanes: Lanes, sides: Sides, rows: tuple[int, int], efforts: Rows) -> None:
    """Read off what the lanes hold for every far place."""
    near, far = sides.near, sides.far
    direction = INWARD if sides.is_turned else OUTWARD
    found = np.empty(LANES)
    for t in range(len(far.piece)):
        a, b = lanes.slot[sides.goal[2 * t]], lanes.slot[sides.goal[2 * t + 1]]
        to_a, to_b = sides.goal_effort[2 * t], sides.goal_effort[2 * t + 1]
        for lane in range(LANES):
            found[lane] = min(lanes.effort[a, lane] + to_a, lanes.effort[b, lane] + to_b)
        chain, place = far.chain[t], far.place[t]
        for s in range(rows[0], rows[1]):
            there = found[s - rows[0]]
            if near.chain[s] == chain and chain >= 0:
                ways = ways_on(graph, direction, chain)
                there = min(there, along_chain(near, s, far, t, ways)[0])
            if there == np.inf:
                continue
            off = near.off[s] + far.off[t]
            if there - off <= off:  # mostly off the street anyway: perhaps in the same building
                there = min(there, straight_effort(near, s, far, t))
            if there > sides.limit:
                continue
            row, column = (place, near.place[s]) if sides.is_turned else (near.place[s], place)
            efforts[row, column] = min(efforts[row, column], there)


@compiled
def fill(graph: Graph, lanes: Lanes, sides: Sides, efforts: Rows) -> None:
    """Lower the efforts between the places of both sides; nothing beyond the limit is written.

    Of several doors of a place the least counts.
    """
    near, direction = sides.near, INWARD if sides.is_turned else OUTWARD
    for first in range(0, len(near.piece), LANES):
        rows = first, min(len(near.piece), first + LANES)
        # Somewhat farther, where a way straight to a place might still be within the limit.
        widest = sides.limit
        for s in range(rows[0], rows[1]):
            if near.piece[s] >= 0:
                widest = max(widest, 2.0 * (near.off[s] + sides.most_off))
        width = max(BUCKET_M, widest / len(lanes.head)) if widest < np.inf else BUCKET_M
        for lane in range(LANES):
            lanes.effort[0, lane] = np.inf
        count = _seed(lanes, sides, rows, widest, width)
        count = _spread(graph, lanes, count, (direction, sides.speed, widest, width))
        _read(graph, lanes, sides, rows, efforts)
        for slot in range(1, count):
            lanes.slot[lanes.node[slot]] = 0


@compiled
def join(near: tuple[Ints, Ints], far: tuple[Ints, Ints], is_turned: bool, is_apart: Cells) -> None:
    """Clear the bytes of places that streets join, by any of their doors.

    `near` and `far` = the place and the part of the network of each row of the two sides.
    """
    for i in range(len(near[0])):
        for j in range(len(far[0])):
            if near[1][i] == far[1][j]:
                row, column = (far[0][j], near[0][i]) if is_turned else (near[0][i], far[0][j])
                is_apart[row, column] = 0
