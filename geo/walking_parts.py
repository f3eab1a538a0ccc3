"""Sort out which streets hang together, and which are reached but not passed through.

A part of the network that no street joins to the rest, an island say, stays when it has
`LEAST_NODES` or is the largest; smaller ones are mostly mistakes of mapping and go. Within a part
the largest piece that is joined without private ways and gates is public. What lies behind them is
private with them: one may start or end there, not pass through. Where one-way streets would let
people in and never out, or out only, they are walked both ways.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from geo import earth
from geo.streets import BACKWARDS, FORWARDS, Streets

LEAST_NODES = 500
#: How high the strips are in which nodes are numbered, about 200 m.
_STRIP_DEG = 0.002

_Indices = NDArray[np.int64]
_Floats = NDArray[np.float64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Parts:
    """What stays, with the number of the part for each node; and what went."""

    streets: Streets
    part: _Indices
    dropped_nodes: int
    dropped_m: float


def lengths(lon: _Floats, lat: _Floats, a: _Indices, b: _Indices) -> _Floats:
    """Measure great circles in metres on the mean sphere."""
    lam, phi = np.radians(lon), np.radians(lat)
    half_phi, half_lam = np.sin((phi[b] - phi[a]) / 2), np.sin((lam[b] - lam[a]) / 2)
    chord = half_phi**2 + np.cos(phi[a]) * np.cos(phi[b]) * half_lam**2
    metres: _Floats = 2 * earth.RADIUS_M * np.arcsin(np.sqrt(chord))
    return metres


def sort_out(found: Streets) -> Parts:
    """Keep the parts that are large enough, and mark what is behind private gates as private."""
    joined = _with_gates(found)
    n = len(joined.lon)
    part = _labels(n, joined.a, joined.b)
    size = np.bincount(part)
    is_large = (size >= LEAST_NODES) | (np.arange(len(size)) == size.argmax())
    is_kept = is_large[part]
    inside = is_kept[joined.a]
    lost = lengths(joined.lon, joined.lat, joined.a[~inside], joined.b[~inside])
    index = np.cumsum(is_kept) - 1
    streets = Streets(
        lon=joined.lon[is_kept],
        lat=joined.lat[is_kept],
        a=index[joined.a[inside]],
        b=index[joined.b[inside]],
        is_stair=joined.is_stair[inside],
        is_open_air=joined.is_open_air[inside],
        is_ferry=joined.is_ferry[inside],
        is_private=(joined.is_private | _is_behind(joined, part))[inside],
        ways=_without_traps(joined)[inside],
        wait_s=joined.wait_s[inside],
        gate_node=joined.gate_node[:0],
        gate=joined.gate[:0],
    )
    numbers = np.unique(part[is_kept], return_inverse=True)[1]
    parts = Parts(streets, numbers.reshape(-1), int(n - is_kept.sum()), float(lost.sum()))
    return _by_place(parts)


def _by_place(parts: Parts) -> Parts:
    """Number the nodes along strips from west to east, so that neighbours lie close in memory."""
    kept = parts.streets
    order = np.lexsort((kept.lon, np.floor(kept.lat / _STRIP_DEG)))
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    a, b = number[kept.a], number[kept.b]
    turned = np.where(kept.ways == FORWARDS, BACKWARDS, FORWARDS)
    is_turned = (a > b) & (kept.ways != FORWARDS | BACKWARDS)
    streets = replace(
        kept, lon=kept.lon[order], lat=kept.lat[order], a=np.minimum(a, b), b=np.maximum(a, b),
        ways=np.where(is_turned, turned, kept.ways).astype(kept.ways.dtype),
    )  # fmt: skip
    return replace(parts, streets=streets, part=parts.part[order])


def _with_gates(found: Streets) -> Streets:
    """Join the two sides of each private gate by a private street without length."""
    order = np.argsort(found.gate, kind="stable")
    node, gate = found.gate_node[order], found.gate[order]
    is_same = gate[1:] == gate[:-1]
    a, b = node[:-1][is_same], node[1:][is_same]
    more = len(a)
    return Streets(
        lon=found.lon,
        lat=found.lat,
        a=np.concatenate([found.a, np.minimum(a, b)]),
        b=np.concatenate([found.b, np.maximum(a, b)]),
        is_stair=np.concatenate([found.is_stair, np.zeros(more, np.bool_)]),
        is_open_air=np.concatenate([found.is_open_air, np.zeros(more, np.bool_)]),
        is_ferry=np.concatenate([found.is_ferry, np.zeros(more, np.bool_)]),
        is_private=np.concatenate([found.is_private, np.ones(more, np.bool_)]),
        ways=np.concatenate([found.ways, np.full(more, 3, np.uint8)]),
        wait_s=np.concatenate([found.wait_s, np.zeros(more)]),
        gate_node=node,
        gate=gate,
    )


def _is_behind(joined: Streets, part: _Indices) -> _Flags:
    """Find the streets that only private ways and gates join to the public ones of their part."""
    n, is_public = len(joined.lon), ~joined.is_private
    a, b = joined.a[is_public], joined.b[is_public]
    piece = _labels(n, a, b)
    has_street = np.bincount(np.concatenate([a, b]), minlength=n) > 0
    size = np.bincount(piece, weights=has_street)
    part_of = np.zeros(len(size), np.int64)
    part_of[piece] = part
    # The last of each part, when pieces are in order of part and size, is its largest.
    order = np.lexsort((size, part_of))
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = part_of[order][1:] != part_of[order][:-1]
    is_main = np.zeros(len(size), np.bool_)
    is_main[order[is_last]] = True
    behind: _Flags = ~is_main[piece[joined.a]]
    return behind


def _without_traps(joined: Streets) -> NDArray[np.uint8]:
    """Open the one-way streets that lie on no round trip, which would shut people in or out."""
    along, back = joined.ways & FORWARDS > 0, joined.ways & BACKWARDS > 0
    start = np.concatenate([joined.a[along], joined.b[back]])
    stop = np.concatenate([joined.b[along], joined.a[back]])
    round_trip = _labels(len(joined.lon), start, stop, "strong")
    is_trap = round_trip[joined.a] != round_trip[joined.b]
    return np.where(is_trap, np.uint8(FORWARDS | BACKWARDS), joined.ways)


def _labels(
    n: int, a: _Indices, b: _Indices, connection: Literal["weak", "strong"] = "weak"
) -> _Indices:
    links = csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    labels: _Indices = connected_components(links, connection=connection)[1].astype(np.int64)
    return labels
