"""The arrays of a walking network, and those that one question to it fills.

Everything is measured in metres: `length`, the metres walked, and `effort`, the level metres that
take equally long (stairs count 1.4 times, a second in a lift as far as one walks in it). Whoever
asks divides effort by a speed.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.float64]  # two axes
Ints = NDArray[np.int32]
Bits = NDArray[np.uint8]
Cells = NDArray[np.uint8]  # two axes


OUTWARD, INWARD = 1, 2  # walks from the place asked about, or to it
STAIR_FACTOR = 1.4  # time on stairs over time on the level, both measured along the map


class Graph(NamedTuple):
    """A contracted street network. `chain` = streets between two junctions, one edge of the graph.

    Points of a chain lie one after the other, its two ends included, so that the piece `p` runs
    from point `p` to point `p + 1`; `point_length` and `point_stairs` count from the chain's start.

    Bits of `chain_ways`: 1 it is walked from its start to its end, 2 the other way. Bits of
    `out_ways`: OUTWARD, one walks from the junction to `out_node`; INWARD, one walks from there.

    Private chains may begin or end a walk and not lie amid it. So a place where they meet has a
    junction to leave by and one to arrive by, besides that of public streets, and links lead from
    the first to the second to the third. A private chain has ends of both its kinds.
    """

    out_start: Ints  # per junction, and one more: its first link in the six arrays that follow
    out_node: Ints
    out_chain: Ints  # -1 between junctions in one place
    out_ways: Bits
    out_length: Floats
    out_effort: Floats
    out_wait: Floats  # seconds that pass however fast one walks: lifts, ferries
    chain_from: Ints
    chain_to: Ints
    chain_in_from: Ints
    chain_in_to: Ints
    chain_ways: Bits  # 0 for ferries: nobody is put on one, and no area is drawn along it
    chain_part: Ints  # chains of two parts are joined by no street
    chain_start: Ints  # per chain, and one more: its first point
    point_chain: Ints
    point_lon: Floats
    point_lat: Floats
    point_length: Floats
    point_stairs: Floats
    grid: Floats  # west, south, cell width and height in degrees, columns, rows
    cell_start: Ints  # per cell, row by row, and one more: its first piece
    cell_piece: Ints


class Buildings(NamedTuple):
    """Buildings with doors, the smallest first: outlines, doors, and a grid to look them up.

    Rows of `wall` are a longitude and latitude, and those where it ends; of `door` one of each.
    """

    wall: Rows
    wall_start: Ints  # per building, and one more: its first wall
    door: Rows
    door_start: Ints
    grid: Floats  # west, south, cell width and height in degrees, columns, rows
    cell: Ints  # of the grid, row by row, in order; one entry for each building that touches it
    cell_building: Ints


class Snaps(NamedTuple):
    """Places on their nearest streets; `piece` is -1 where no street is near enough.

    A place in a building with several doors has a row for each of them, side by side.
    """

    lon: Floats
    lat: Floats
    piece: Ints
    chain: Ints
    share: Floats  # how far along the piece, 0 to 1
    length: Floats  # from the chain's start
    stairs: Floats
    off: Floats  # metres between the place and its street, by the door where there is one
    place: Ints  # which of the places asked about
    building: Ints  # of `Buildings`, -1 for none, or for one without a usable door
    door: Ints


class Workspace(NamedTuple):
    """What one expansion writes; `stamp` tells which entries are of the present one."""

    round: NDArray[np.int64]  # one number
    limit: Floats  # one number: how far the present expansion went
    speed: Floats  # one number: metres a second on the level, for what takes a fixed time
    ways: NDArray[np.int64]  # one number: OUTWARD or INWARD
    stamp: NDArray[np.int64]
    effort: Floats
    length: Floats
    via_node: Ints  # the node before, -1 at a seed
    via_chain: Ints
    source: Ints  # from which source the node is reached
    heap_effort: Floats
    heap_node: Ints


def make_workspace(graph: Graph) -> Workspace:
    """Allocate what an expansion of this graph needs; one expansion at a time may use it."""
    nodes, links = len(graph.out_start) - 1, len(graph.out_node)
    return Workspace(
        round=np.zeros(1, np.int64),
        limit=np.zeros(1),
        speed=np.ones(1),
        ways=np.full(1, OUTWARD, np.int64),
        stamp=np.zeros(nodes, np.int64),
        effort=np.empty(nodes),
        length=np.empty(nodes),
        via_node=np.empty(nodes, np.int32),
        via_chain=np.empty(nodes, np.int32),
        source=np.empty(nodes, np.int32),
        # Each link is pushed once at most; a seed is pushed only when it improves its node.
        heap_effort=np.empty(links + nodes + 8),
        heap_node=np.empty(links + nodes + 8, np.int32),
    )


class Lanes(NamedTuple):
    """What expansions from several sources at once write, a lane for each of them.

    Only junctions that are touched get a slot, so that what is written stays near the processor.
    Slot 0 stands for all others and is never lowered.
    """

    slot: Ints  # per junction, and one more where nobody comes
    node: Ints  # per slot: its junction
    effort: Rows  # per slot: a column for each lane
    pending: Floats  # per slot: the least effort that was not passed on yet, infinite for none
    bucket: Ints  # per slot: where it waits for that, -1 for nowhere
    after: Ints  # per slot: who waits behind it
    head: Ints  # per bucket: who waits first, -1 for nobody


def make_lanes(graph: Graph, lanes: int, buckets: int) -> Lanes:
    """Allocate what a thread needs to expand so many sources at once."""
    n = len(graph.out_start)
    return Lanes(
        slot=np.zeros(n, np.int32),
        node=np.empty(n, np.int32),
        effort=np.empty((n, lanes)),
        pending=np.empty(n),
        bucket=np.empty(n, np.int32),
        after=np.empty(n, np.int32),
        head=np.full(buckets, -1, np.int32),
    )


class Answers(NamedTuple):
    """One entry per target; effort and length are infinite where no way was found."""

    effort: Floats
    length: Floats
    how: NDArray[np.int8]


class Walks(NamedTuple):
    """One entry per place, by its best door; effort and length are infinite if it is too far."""

    effort: Floats
    length: Floats
    is_joined: NDArray[np.bool_]  # whether streets join it to where the walks begin


def empty_walks(places: int) -> Walks:
    """Allocate the answers of `walk` to so many places."""
    effort, length = np.full((2, places), np.inf)
    return Walks(effort, length, np.zeros(places, np.bool_))


def empty_answers(targets: Snaps) -> Answers:
    """Allocate the answers of `measure` for these targets."""
    n = len(targets.piece)
    return Answers(np.full(n, np.inf), np.full(n, np.inf), np.zeros(n, np.int8))


def empty_snaps(lon: Floats, lat: Floats) -> Snaps:
    """Allocate the answer of `snap` for these places."""
    n = len(lon)
    share, length, stairs, off = np.zeros((4, n))
    off.fill(np.inf)
    numbers = np.full((5, n), -1, np.int32)
    numbers[2] = np.arange(n)
    piece, chain, place, building, door = numbers
    return Snaps(lon, lat, piece, chain, share, length, stairs, off, place, building, door)


def tiny_graph() -> Graph:
    """Make one street between two nodes, its arrays of the same types as a mapped city's."""
    indices = {
        "out_start": [0, 1, 2], "out_node": [1, 0], "out_chain": [0, 0],
        "chain_from": [0], "chain_to": [1], "chain_in_from": [0], "chain_in_to": [1],
        "chain_part": [0], "chain_start": [0, 2], "point_chain": [0, 0],
        "cell_start": [0, 1], "cell_piece": [0],
    }  # fmt: skip
    measures = {
        "out_length": [111.0, 111.0], "out_effort": [111.0, 111.0], "out_wait": [0.0, 0.0],
        "point_lon": [0.0, 0.001], "point_lat": [0.0, 0.0],
        "point_length": [0.0, 111.0], "point_stairs": [0.0, 0.0],
        "grid": [0.0, 0.0, 0.01, 0.01, 1.0, 1.0],
    }  # fmt: skip
    bits = {"out_ways": [3, 3], "chain_ways": [3]}
    arrays: dict[str, NDArray[Any]] = {
        name: np.array(values, np.int32) for name, values in indices.items()
    }
    arrays |= {name: np.array(values, np.float64) for name, values in measures.items()}
    arrays |= {name: np.array(values, np.uint8) for name, values in bits.items()}
    for array in arrays.values():
        array.flags.writeable = False  # like mapped ones; otherwise other code would be compiled
    return Graph(**arrays)


def pick(snaps: Snaps, rows: NDArray[np.int64]) -> Snaps:
    """Give these rows in this order."""
    columns: dict[str, NDArray[Any]] = {
        name: values[rows] for name, values in snaps._asdict().items()
    }
    return Snaps(**columns)
