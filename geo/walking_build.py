"""Build the walking network of a city: streets in, a folder of mappable arrays out.

Streets are as long as the great circle on the mean sphere. Only the largest connected part (by
nodes) stays; what falls away is counted in the manifest. Nodes that join exactly two streets are
contracted into chains, whose shape is kept: a place is put on the street itself, not on a node.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from geo import streets, walking_files
from geo.position import EARTH_RADIUS_M
from geo.walking_arrays import Graph
from geo.walking_files import Manifest

_CELL_M = 50.0
_MOST_CELLS = 4_000_000  # 16 MB of index, even for a whole province

Progress = Callable[[str, float], None]
_Indices = NDArray[np.int64]
_Floats = NDArray[np.float64]


class NoStreets(ValueError):
    """The file holds no street that may be walked."""


def _no_progress(_stage: str, _share: float) -> None:
    """Report to nobody."""


def build(source: Path, folder: Path, name: str, *, progress: Progress = _no_progress) -> Manifest:
    """Build `folder/name` from an OpenStreetMap file, replacing what was there.

    `progress` is told the stage (read, connect, contract, index, save) and the share done.
    Raises `NoStreets`, or what osmium raises about a file that it cannot read.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"{name!r} cannot name a city: small letters, digits, - and _ only")
    began = time.perf_counter()
    progress("read", 0.0)
    found = streets.read(source)
    if not len(found.a):
        raise NoStreets(f"{source.name} holds no street that may be walked")
    progress("connect", 0.5)
    kept, dropped_nodes, dropped_m = _largest_part(found)
    progress("contract", 0.6)
    graph, junctions = _graph(kept)
    progress("save", 0.95)
    manifest = Manifest(
        name=name,
        build=walking_files.new_build(),
        bbox=_bbox(graph),
        street_nodes=len(kept.lon),
        streets=len(kept.a),
        junctions=junctions,
        chains=len(graph.chain_from),
        length_m=round(float(graph.out_length.sum()) / 2, 1),
        stairs_m=round(float(graph.out_stairs.sum()) / 2, 1),
        dropped_nodes=dropped_nodes,
        dropped_m=round(dropped_m, 1),
        bytes=sum(array.nbytes for array in graph),
        source_sha256=_sha256(source),
        build_s=round(time.perf_counter() - began, 3),
    )
    walking_files.save(graph, manifest, folder)
    progress("save", 1.0)
    return manifest


def _lengths(lon: _Floats, lat: _Floats, a: _Indices, b: _Indices) -> _Floats:
    """Measure great circles in metres on the mean sphere."""
    lam, phi = np.radians(lon), np.radians(lat)
    half_phi, half_lam = np.sin((phi[b] - phi[a]) / 2), np.sin((lam[b] - lam[a]) / 2)
    chord = half_phi**2 + np.cos(phi[a]) * np.cos(phi[b]) * half_lam**2
    metres: _Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(chord))
    return metres


def _largest_part(found: streets.Streets) -> tuple[streets.Streets, int, float]:
    """Keep the connected part with the most nodes; also count the nodes and metres that go."""
    n = len(found.lon)
    links = csr_matrix((np.ones(len(found.a), np.int8), (found.a, found.b)), shape=(n, n))
    _, part = connected_components(links, directed=False)
    largest = np.bincount(part).argmax()
    is_kept = part == largest
    index = np.cumsum(is_kept) - 1
    inside = is_kept[found.a]
    lost = _lengths(found.lon, found.lat, found.a[~inside], found.b[~inside])
    kept = streets.Streets(
        lon=found.lon[is_kept],
        lat=found.lat[is_kept],
        a=index[found.a[inside]],
        b=index[found.b[inside]],
        is_stair=found.is_stair[inside],
        is_open_air=found.is_open_air[inside],
    )
    return kept, int(n - is_kept.sum()), float(lost.sum())


@dataclass(frozen=True, slots=True)
class _Chains:
    """Chains end to end: `node` and `street` per point, `street` -1 at the last of a chain."""

    node: _Indices
    street: _Indices
    start: _Indices


def _contract(kept: streets.Streets, is_junction: NDArray[np.bool_]) -> _Chains:
    """Follow every street from junction to junction."""
    m = len(kept.a)
    ends = np.concatenate([kept.a, kept.b])
    order = np.argsort(ends, kind="stable")
    # Plain lists: stepping through them is several times quicker than through arrays.
    first = np.searchsorted(ends[order], np.arange(len(kept.lon) + 1)).tolist()
    other = np.concatenate([kept.b, kept.a])[order].tolist()
    street_of = (order % m).tolist()
    stops = is_junction.tolist()
    walked = bytearray(m)
    nodes: list[int] = []
    along: list[int] = []
    start = [0]
    for junction in np.flatnonzero(is_junction).tolist():
        for link in range(first[junction], first[junction + 1]):
            if walked[street_of[link]]:
                continue
            nodes.append(junction)
            while True:
                street, here = street_of[link], other[link]
                walked[street] = 1
                along.append(street)
                nodes.append(here)
                if stops[here]:
                    break
                link = first[here]  # noqa: PLW2901  the walk goes on from the next node
                if street_of[link] == street:
                    link += 1  # noqa: PLW2901  past the street that led here
            along.append(-1)
            start.append(len(nodes))
    return _Chains(np.array(nodes), np.array(along), np.array(start))


def _graph(kept: streets.Streets) -> tuple[Graph, int]:
    """Contract the streets and lay out the arrays; also count the junctions."""
    degree = np.bincount(np.concatenate([kept.a, kept.b]), minlength=len(kept.lon))
    is_junction = degree != 2
    if not is_junction.any():
        is_junction[0] = True  # one lone ring: it starts and ends anywhere
    chains = _contract(kept, is_junction)
    length = _lengths(kept.lon, kept.lat, kept.a, kept.b)
    point_length = _along(chains, length)
    point_stairs = _along(chains, np.where(kept.is_stair, length, 0.0))
    junction_of = np.cumsum(is_junction) - 1
    last = chains.start[1:] - 1
    chain_from = junction_of[chains.node[chains.start[:-1]]]
    chain_to = junction_of[chains.node[last]]
    lon, lat = kept.lon[chains.node], kept.lat[chains.node]
    is_place = (chains.street >= 0) & kept.is_open_air[chains.street]
    out_start, out_node, chain = _links(chain_from, chain_to, int(is_junction.sum()))
    grid, cell_start, cell_piece = _index(lon, lat, np.flatnonzero(is_place))
    graph = Graph(
        out_start=_i32(out_start),
        out_node=_i32(out_node),
        out_chain=_i32(chain),
        out_length=point_length[last][chain],
        out_stairs=point_stairs[last][chain],
        chain_from=_i32(chain_from),
        chain_to=_i32(chain_to),
        chain_start=_i32(chains.start),
        point_chain=_i32(np.repeat(np.arange(len(chain_from)), np.diff(chains.start))),
        point_lon=lon,
        point_lat=lat,
        point_length=point_length,
        point_stairs=point_stairs,
        grid=grid,
        cell_start=_i32(cell_start),
        cell_piece=_i32(cell_piece),
    )
    return graph, int(is_junction.sum())


def _along(chains: _Chains, metres: _Floats) -> _Floats:
    """Sum metres from the start of each chain to each of its points."""
    steps = np.where(chains.street >= 0, metres[chains.street], 0.0)
    sums = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    result: _Floats = sums - np.repeat(sums[chains.start[:-1]], np.diff(chains.start))
    return result


def _links(
    chain_from: _Indices, chain_to: _Indices, junctions: int
) -> tuple[_Indices, _Indices, _Indices]:
    """List the chains that leave each junction, each chain from both ends: start, node, chain."""
    chain = np.arange(len(chain_from))
    origin = np.concatenate([chain_from, chain_to])
    order = np.argsort(origin, kind="stable")
    start = np.searchsorted(origin[order], np.arange(junctions + 1))
    node = np.concatenate([chain_to, chain_from])[order]
    return start, node, np.concatenate([chain, chain])[order]


def _index(lon: _Floats, lat: _Floats, pieces: _Indices) -> tuple[_Floats, _Indices, _Indices]:
    """Sort the pieces into the cells of a grid; one that crosses several is in each of them."""
    west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
    metre_deg = 1 / np.radians(EARTH_RADIUS_M)
    widen = 1 / max(0.01, float(np.cos(np.radians((south + north) / 2))))
    area = (east - west) / widen * (north - south) / metre_deg**2
    cell_m = max(_CELL_M, float(np.sqrt(area / _MOST_CELLS)))
    cell_lon, cell_lat = cell_m * metre_deg * widen, cell_m * metre_deg
    columns = int((east - west) / cell_lon) + 1
    rows = int((north - south) / cell_lat) + 1
    x = ((lon - west) / cell_lon).astype(np.int64)
    y = ((lat - south) / cell_lat).astype(np.int64)
    x_low, x_high = np.minimum(x[pieces], x[pieces + 1]), np.maximum(x[pieces], x[pieces + 1])
    y_low, y_high = np.minimum(y[pieces], y[pieces + 1]), np.maximum(y[pieces], y[pieces + 1])
    width = x_high - x_low + 1
    count = width * (y_high - y_low + 1)
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    wide = np.repeat(width, count)
    column = np.repeat(x_low, count) + nth % wide
    cell = (np.repeat(y_low, count) + nth // wide) * columns + column
    order = np.argsort(cell, kind="stable")
    grid = np.array([west, south, cell_lon, cell_lat, columns, rows], np.float64)
    cell_start = np.searchsorted(cell[order], np.arange(columns * rows + 1))
    return grid, cell_start, np.repeat(pieces, count)[order]


def _i32(values: _Indices) -> NDArray[np.int32]:
    return np.ascontiguousarray(values, np.int32)


def _bbox(graph: Graph) -> tuple[float, float, float, float]:
    lon, lat = graph.point_lon, graph.point_lat
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
