"""Which cells of a grid boxes touch: the look-up tables of streets and of buildings."""

import numpy as np
from numpy.typing import NDArray

_Indices = NDArray[np.int64]


def runs(first: _Indices, count: _Indices) -> _Indices:
    """List `first`, `first + 1` … for each run, `count` of them, one run after the other."""
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    listed: _Indices = np.repeat(first, count) + nth
    return listed


def cells(low: _Indices, high: _Indices, columns: int) -> tuple[_Indices, _Indices]:
    """List the cells, row by row, and in which box each is; a box may be in several.

    `low` and `high` = column and row of the corners, a row for each box. In order of the cells,
    within a cell in order of the boxes.
    """
    width, height = (high - low + 1).T
    count = width * height
    box = np.repeat(np.arange(len(low)), count)
    nth = runs(np.zeros_like(count), count)
    cell = (low[box, 1] + nth // width[box]) * columns + low[box, 0] + nth % width[box]
    order = np.argsort(cell, kind="stable")
    return cell[order], box[order]
