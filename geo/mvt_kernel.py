"""Compiled loops that write many points of a vector tile at once; see `geo.mvt` for the format.

The interpreter's lock is released. The very first call on a machine compiles.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiling import compiled

#: The most that one point takes beside its shared tags: two tags, headers, geometry.
POINT_MOST_BYTES = 48
#: A table entry of an id: headers and the 36 letters of a UUID.
ID_BYTES = 40


@compiled
def _varint(out: NDArray[np.uint8], at: int, number: int) -> int:
    while number > 0x7F:
        out[at] = (number & 0x7F) | 0x80
        at += 1
        number >>= 7
    out[at] = number
    return at + 1


@compiled
def _size(number: int) -> int:
    size = 1
    while number > 0x7F:
        size += 1
        number >>= 7
    return size


@compiled
def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


@compiled
def _hex(half: int) -> int:
    return half + (48 if half < 10 else 87)


@compiled
def _point(out: NDArray[np.uint8], at: int, right: int, down: int, size: int) -> int:
    """Write the kind, point, and the geometry: one move, whose bytes are `size`."""
    out[at], out[at + 1], out[at + 2] = 0x18, 1, 0x22
    at = _varint(out, at + 3, size)
    out[at] = 9
    return _varint(out, _varint(out, at + 1, right), down)


class Tags(NamedTuple):
    """What each point says: its id, its name, then tags that it shares with others, as written.

    The n-th point's id is value `ids_from` + n, its name value `names[n]`; its other tags are the
    bytes of `shared` that end at `ends[which[n]]` and begin where those before end.
    """

    ids_from: int
    names: NDArray[np.int64]
    shared: NDArray[np.uint8]
    ends: NDArray[np.int64]
    which: NDArray[np.int64]


@compiled
def write_points(
    out: NDArray[np.uint8], x: NDArray[np.int64], y: NDArray[np.int64], tags_of: Tags
) -> int:
    """Write points with key 0 = id and key 1 = name; returns how many bytes that took."""
    ids_from, names, suffixes, ends, which = tags_of
    at = 0
    for n in range(len(x)):
        begin = 0 if which[n] == 0 else ends[which[n] - 1]
        end = ends[which[n]]
        right, down = _zigzag(x[n]), _zigzag(y[n])
        tags = 2 + _size(ids_from + n) + _size(names[n]) + end - begin
        shape = 1 + _size(right) + _size(down)
        out[at] = 0x12
        at = _varint(out, at + 1, 1 + _size(tags) + tags + 2 + 1 + _size(shape) + shape)
        out[at] = 0x12
        at = _varint(out, at + 1, tags)
        out[at] = 0
        at = _varint(out, at + 1, ids_from + n)
        out[at] = 1
        at = _varint(out, at + 1, names[n])
        for place in range(begin, end):
            out[at] = suffixes[place]
            at += 1
        at = _point(out, at, right, down, shape)
    return at


@compiled
def write_numbers(
    out: NDArray[np.uint8],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    values: NDArray[np.int64],
) -> int:
    """Write points whose key k has value `values[n, k]`; returns how many bytes that took."""
    at = 0
    for n in range(len(x)):
        right, down = _zigzag(x[n]), _zigzag(y[n])
        tags = 0
        for k in range(values.shape[1]):
            tags += 1 + _size(values[n, k])
        shape = 1 + _size(right) + _size(down)
        out[at] = 0x12
        at = _varint(out, at + 1, 1 + _size(tags) + tags + 2 + 1 + _size(shape) + shape)
        out[at] = 0x12
        at = _varint(out, at + 1, tags)
        for k in range(values.shape[1]):
            out[at] = k
            at = _varint(out, at + 1, values[n, k])
        at = _point(out, at, right, down, shape)
    return at


@compiled
def write_ids(out: NDArray[np.uint8], ids: NDArray[np.uint8]) -> int:
    """Write table entries that hold UUIDs in their usual spelling, from 16 bytes each."""
    at = 0
    for n in range(len(ids)):
        out[at], out[at + 1], out[at + 2], out[at + 3] = 0x22, 38, 0x0A, 36
        at += 4
        for i in range(16):
            if i in (4, 6, 8, 10):
                out[at] = 0x2D
                at += 1
            out[at] = _hex(int(ids[n, i]) >> 4)
            out[at + 1] = _hex(int(ids[n, i]) & 15)
            at += 2
    return at
