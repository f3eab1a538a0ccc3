"""Whole matrices of walking times, by as many threads as there are processors.

The compiled loops release the interpreter's lock. Each thread takes rows of its own.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays, walking_matrix_kernel
from geo.walking_arrays import INWARD, OUTWARD, Graph, Snaps

#: More threads than this would keep one question from leaving room for others.
_MOST_THREADS = 4
#: Fewer rows than this are done before another thread has begun.
_ROWS_A_THREAD = 32

#: Of how many one matrix makes use.
THREADS = min(_MOST_THREADS, len(os.sched_getaffinity(0)))
_helpers = ThreadPoolExecutor(max(1, THREADS - 1), thread_name_prefix="matrix")


@dataclass(frozen=True, slots=True)
class Walk:
    """How far and how fast one walks."""

    within_s: float
    speed_mps: float


def efforts(graph: Graph, sources: Snaps, targets: Snaps, walk: Walk) -> NDArray[np.float64]:
    """Measure level metres from every source (row) to every target, by the side that has fewer.

    What is not reached in time is infinite.
    """
    is_turned = len(targets.piece) < len(sources.piece)
    near, far = (targets, sources) if is_turned else (sources, targets)
    found = np.full((len(near.piece), len(far.piece)), np.inf)

    def some(first: int, after: int) -> None:
        work = walking_arrays.make_workspace(graph)
        work.ways[0] = INWARD if is_turned else OUTWARD
        work.speed[0], work.limit[0] = walk.speed_mps, walk.within_s * walk.speed_mps
        rows = Snaps._make(column[first:after] for column in near)
        walking_matrix_kernel.fill(graph, work, rows, far, found[first:after])

    _share(some, len(near.piece))
    return found.T if is_turned else found


def _share(work: Callable[[int, int], None], size: int) -> None:
    """Do `work(first, after)` for shares of so many rows, one of them here, others beside."""
    shares = max(1, min(THREADS, size // _ROWS_A_THREAD))
    bounds = [size * share // shares for share in range(shares + 1)]
    others = [_helpers.submit(work, first, after) for first, after in pairwise(bounds[1:])]
    try:
        work(0, bounds[1])
    finally:
        for other in others:
            other.result()
