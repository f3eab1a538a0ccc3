"""Threads for compiled loops, which release the interpreter's lock: each takes rows of its own."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

#: More threads than this would keep one question from leaving room for others.
_MOST = 4
#: Of how many one question makes use.
MOST = min(_MOST, len(os.sched_getaffinity(0)))

_helpers = ThreadPoolExecutor(max(1, MOST - 1), thread_name_prefix="streets")


def share(
    work: Callable[[int, int], None], size: int, *, least: int, threads: int | None = None
) -> None:
    """Do `work(first, after)` for shares of so many rows, one of them here, others beside.

    Fewer than `least` rows are done before another thread has begun. `threads` = `MOST`.
    """
    shares = max(1, min(MOST if threads is None else threads, size // least))
    bounds = [size * nth // shares for nth in range(shares + 1)]
    others = [_helpers.submit(work, first, after) for first, after in pairwise(bounds[1:])]
    try:
        work(0, bounds[1])
    finally:
        for other in others:
            other.result()
