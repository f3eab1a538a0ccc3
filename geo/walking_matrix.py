"""Whole matrices of walking times between places on the streets of one city."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays, walking_matrix_kernel, walking_threads
from geo.walking_arrays import INWARD, OUTWARD, Cells, Graph, Rows, Snaps

#: Fewer rows than this are done before another thread has begun.
_ROWS_A_THREAD = 32


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
    found = np.full((len(near.piece), len(far.piece)), np.inf)

    def some(first: int, after: int) -> None:
        work = walking_arrays.make_workspace(graph)
        work.ways[0] = INWARD if is_turned else OUTWARD
        work.speed[0], work.limit[0] = walk.speed_mps, walk.within_s * walk.speed_mps
        rows = Snaps._make(column[first:after] for column in near)
        walking_matrix_kernel.fill(graph, work, rows, far, found[first:after])
        if is_each_once:
            settle(first, after)

    def settle(first: int, after: int) -> None:
        place, part = near_stand
        walking_matrix_kernel.settle(
            found[first:after],
            (place[first:after], part[first:after]),
            far_stand,
            is_turned,
            (answers.effort, answers.is_apart),
        )

    near_stand, far_stand = _stand(graph, near), _stand(graph, far)
    # Two threads must not write what belongs to the doors of one place.
    is_each_once = len(np.unique(near.place)) == len(near.place)
    walking_threads.share(some, len(near.piece), least=_ROWS_A_THREAD, threads=walk.threads)
    if not is_each_once:
        settle(0, len(near.piece))


def _stand(graph: Graph, snaps: Snaps) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the place of each door, and the part of the network on which it stands, -1 for none."""
    part = np.where(snaps.piece < 0, np.int32(-1), graph.chain_part[snaps.chain])
    return np.ascontiguousarray(snaps.place, np.int32), part
