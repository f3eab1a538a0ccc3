"""Whole matrices of walking times between places on the streets of one city."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays, walking_matrix_kernel, walking_threads
from geo.walking_arrays import Cells, Floats, Graph, Rows, Snaps

#: Fewer rows than this are done before another thread has begun, unless threads are asked for.
_ROWS_A_THREAD = 1_000
#: Some 100 m: places within are neighbours, in whatever order.
_CELL_DEG = 0.001
#: How 16 bits are spread out to every second of 32.
_SPREADING = ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555))


@dataclass(frozen=True, slots=True)
class Walk:
    """How far and how fast one walks, and by how many threads that is found out (None: most)."""

    within_s: float
    speed_mps: float
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Level metres from every source (row) to every target; and 1 where no streets join them.

    What is not reached in time is infinite.
    """

    effort: Rows
    is_apart: Cells


def no_answers(sources: int, targets: int) -> Answers:
    """Allocate the answers for so many places."""
    shape = sources, targets
    return Answers(np.full(shape, np.inf), np.ones(shape, np.uint8))


def measure(graph: Graph, sources: Snaps, targets: Snaps, walk: Walk, answers: Answers) -> None:
    """Fill in the walks between these places, by the side that has fewer."""
    is_turned = len(targets.piece) < len(sources.piece)
    near, far = (targets, sources) if is_turned else (sources, targets)
    near = walking_arrays.pick(near, _neighbourly(near))
    limit = walk.within_s * walk.speed_mps
    seed, seed_effort, _ = _attached(graph, near, not is_turned)
    goal = _attached(graph, far, is_turned)
    near_stand, far_stand = _stand(graph, near), _stand(graph, far)

    def some(first: int, after: int) -> None:
        # Two threads must not write what belongs to the doors of one place.
        own = slice(_whole(near.place, first), _whole(near.place, after))
        rows = Snaps._make(column[own] for column in near)
        ends = slice(2 * own.start, 2 * own.stop)
        sides = walking_matrix_kernel.Sides(
            rows, seed[ends], seed_effort[ends], far, *goal, limit, walk.speed_mps, is_turned
        )
        lanes = walking_arrays.make_lanes(graph, walking_matrix_kernel.LANES, _buckets(limit))
        walking_matrix_kernel.fill(graph, lanes, sides, answers.effort)
        stand = near_stand[0][own], near_stand[1][own]
        walking_matrix_kernel.join(stand, far_stand, is_turned, answers.is_apart)

    least = _ROWS_A_THREAD if walk.threads is None else 1
    walking_threads.share(some, len(near.piece), least=least, threads=walk.threads)


def _neighbourly(snaps: Snaps) -> NDArray[np.int64]:
    """Order places so that neighbours follow each other, the doors of each together (Z-order)."""
    code = np.zeros(len(snaps.lon), np.int64)
    for shift, column in enumerate((snaps.lon, snaps.lat)):
        spread = np.floor((column - column.min()) / _CELL_DEG).astype(np.int64)
        for bits, mask in _SPREADING:
            spread = (spread | spread << bits) & mask
        code |= spread << shift
    return np.lexsort((snaps.place, code))


def _whole(place: NDArray[np.int32], row: int) -> int:
    """Give the first row from this one on that begins a place."""
    while 0 < row < len(place) and place[row] == place[row - 1]:
        row += 1
    return row


def _attached(
    graph: Graph, snaps: Snaps, is_leaving: bool
) -> tuple[NDArray[np.int32], Floats, float]:
    ends = 2 * len(snaps.piece)
    nodes, efforts = np.empty(ends, np.int32), np.empty(ends)
    most_off = walking_matrix_kernel.attach(graph, snaps, is_leaving, nodes, efforts)
    return nodes, efforts, most_off


def _buckets(limit: float) -> int:
    wanted = limit / walking_matrix_kernel.BUCKET_M
    return int(min(walking_matrix_kernel.MOST_BUCKETS, wanted + 1))


def _stand(graph: Graph, snaps: Snaps) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the place of each door, and the part of the network on which it stands, -1 for none."""
    part = np.where(snaps.piece < 0, np.int32(-1), graph.chain_part[snaps.chain])
    return np.ascontiguousarray(snaps.place, np.int32), part
