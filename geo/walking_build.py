"""Build the walking network of a city: streets in, a folder of mappable arrays out.

Streets are as long as the great circle on the mean sphere. `walking_parts` says what stays; what
falls away is counted in the manifest. Nodes that join exactly two like streets are contracted into
chains, whose shape is kept: a place is put on the street itself, not on a node.

Private streets are there twice, as `walking_arrays.Graph` says: to leave by and to arrive by.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo import earth, streets, walking_buildings, walking_files, walking_grid, walking_parts
from geo.walking_arrays import INWARD, OUTWARD, STAIR_FACTOR, Graph
from geo.walking_files import Manifest

_CELL_M = 50.0
_MOST_CELLS = 4_000_000  # 16 MB of index, even for a whole province
_BOTH_WAYS = streets.FORWARDS | streets.BACKWARDS
_TURNED = np.array([0, 2, 1, 3])  # the bits of `Streets.ways`, seen from the other end

Progress = Callable[[str, float], None]
_Indices = NDArray[np.int64]
_Floats = NDArray[np.float64]


class NoStreets(ValueError):
    """The file holds no street that may be walked."""


def _no_progress(_stage: str, _share: float) -> None:
    """Report to nobody."""


def build(source: Path, folder: Path, name: str, *, progress: Progress = _no_progress) -> Manifest:
    """Build `folder/name` from an OpenStreetMap file, replacing what was there.

    As `prepare`, and used at once.
    """
    build_name = walking_files.new_build()
    manifest = prepare(source, folder, name, build=build_name, progress=progress)
    walking_files.use(manifest, folder)
    return manifest


def prepare(
    source: Path, folder: Path, name: str, *, build: str, progress: Progress = _no_progress
) -> Manifest:
    """Build a city beside its place in the folder; `walking_files.use` or `drop` comes next.

    `build` is a name that no other build of the city has.

    `progress` is told the stage (read, connect, contract, save) and the share done.
    Raises `NoStreets`, or what osmium raises about a file that it cannot read.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"{name!r} cannot name a city: small letters, digits, - and _ only")
    began = time.perf_counter()
    progress("read", 0.0)
    found = streets.read(source)
    if not found.streets.is_open_air.any():
        raise NoStreets(f"{source.name} holds no street that may be walked")
    progress("connect", 0.5)
    parts = walking_parts.sort_out(found.streets)
    kept = parts.streets
    progress("contract", 0.6)
    graph, buildings = _graph(parts), walking_buildings.index(found.doors)
    progress("save", 0.95)
    manifest = Manifest(
        name=name,
        build=build,
        bbox=_bbox(graph),
        street_nodes=len(kept.lon),
        streets=len(kept.a),
        junctions=len(graph.out_start) - 1,
        chains=len(graph.chain_from),
        parts=int(parts.part.max()) + 1,
        length_m=round(float(graph.point_length[graph.chain_start[1:] - 1].sum()), 1),
        stairs_m=round(float(graph.point_stairs[graph.chain_start[1:] - 1].sum()), 1),
        private_m=round(_private_m(kept), 1),
        dropped_nodes=parts.dropped_nodes,
        dropped_m=round(parts.dropped_m, 1),
        buildings=len(buildings.door_start) - 1,
        doors=len(buildings.door),
        bytes=sum(array.nbytes for array in (*graph, *buildings)),
        source_sha256=_sha256(source),
        build_s=round(time.perf_counter() - began, 3),
    )
    walking_files.write(graph, buildings, manifest, folder)
    progress("save", 1.0)
    return manifest


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


def _junctions(parts: walking_parts.Parts) -> NDArray[np.bool_]:
    """Mark the nodes where a chain must end, one at least in every part."""
    kept = parts.streets
    n, ends = len(kept.lon), np.concatenate([kept.a, kept.b])
    degree = np.bincount(ends, minlength=n)
    private = np.bincount(ends[np.tile(kept.is_private, 2)], minlength=n)
    is_junction: NDArray[np.bool_] = (degree != 2) | ((private > 0) & (private < degree))
    is_special = (kept.ways != _BOTH_WAYS) | (kept.wait_s > 0)
    is_junction[ends[np.tile(is_special, 2)]] = True
    has_one = np.bincount(parts.part[is_junction], minlength=parts.part.max() + 1) > 0
    first = np.unique(parts.part, return_index=True)[1]
    is_junction[first[~has_one]] = True  # a lone ring: it starts and ends anywhere
    return is_junction


def _graph(parts: walking_parts.Parts) -> Graph:
    """Contract the streets and lay out the arrays."""
    kept, is_junction = parts.streets, _junctions(parts)
    chains = _contract(kept, is_junction)
    length = walking_parts.lengths(kept.lon, kept.lat, kept.a, kept.b)
    length[kept.is_ferry] = 0.0  # not walked; its time is a wait
    point_length = _along(chains, length)
    point_stairs = _along(chains, np.where(kept.is_stair, length, 0.0))
    ends = _ends(chains, kept, is_junction)
    last = chains.start[1:] - 1
    links = _links(ends)
    lon, lat = kept.lon[chains.node], kept.lat[chains.node]
    is_place = (chains.street >= 0) & kept.is_open_air[chains.street]
    grid, cell_start, cell_piece = _index(lon, lat, np.flatnonzero(is_place))
    effort = point_length[last] + (STAIR_FACTOR - 1) * point_stairs[last]
    return Graph(
        out_start=_i32(links.start),
        out_node=_i32(links.node),
        out_chain=_i32(links.chain),
        out_ways=links.ways.astype(np.uint8),
        # Links without a chain, number -1, take what stands last: nothing.
        out_length=np.append(point_length[last], 0.0)[links.chain],
        out_effort=np.append(effort, 0.0)[links.chain],
        out_wait=np.append(kept.wait_s[ends.street], 0.0)[links.chain],
        chain_from=_i32(ends.leave_from),
        chain_to=_i32(ends.leave_to),
        chain_in_from=_i32(ends.arrive_from),
        chain_in_to=_i32(ends.arrive_to),
        chain_ways=np.where(kept.is_ferry[ends.street], 0, ends.ways).astype(np.uint8),
        chain_part=_i32(parts.part[chains.node[chains.start[:-1]]]),
        chain_start=_i32(chains.start),
        point_chain=_i32(np.repeat(np.arange(len(last)), np.diff(chains.start))),
        point_lon=lon,
        point_lat=lat,
        point_length=point_length,
        point_stairs=point_stairs,
        grid=grid,
        cell_start=_i32(cell_start),
        cell_piece=_i32(cell_piece),
    )


def _along(chains: _Chains, metres: _Floats) -> _Floats:
    """Sum metres from the start of each chain to each of its points."""
    steps = np.where(chains.street >= 0, metres[chains.street], 0.0)
    sums = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    result: _Floats = sums - np.repeat(sums[chains.start[:-1]], np.diff(chains.start))
    return result


@dataclass(frozen=True, slots=True)
class _Ends:
    """Each chain's junctions: those to leave by and, other ones where it is private, to arrive by.

    `changes` are pairs of junctions in one place: from leaving to public, from public to arriving.
    """

    street: _Indices
    leave_from: _Indices
    leave_to: _Indices
    arrive_from: _Indices
    arrive_to: _Indices
    ways: _Indices
    is_private: NDArray[np.bool_]
    junctions: int
    changes: tuple[_Indices, _Indices]


def _ends(chains: _Chains, kept: streets.Streets, is_junction: NDArray[np.bool_]) -> _Ends:
    """Number the junctions: each place has one for public streets and two for private ones."""
    public, private = (np.zeros(len(kept.lon), np.bool_) for _ in range(2))
    for mark, use in ((public, ~kept.is_private), (private, kept.is_private)):
        mark[kept.a[use]] = mark[kept.b[use]] = True
    public, private = public & is_junction, private & is_junction
    opens, leaves = int(public.sum()), int(private.sum())
    number = np.cumsum(public) - 1
    leave = opens + np.cumsum(private) - 1
    arrive = leave + leaves
    street = chains.street[chains.start[:-1]]
    first, last = chains.node[chains.start[:-1]], chains.node[chains.start[1:] - 1]
    ways = kept.ways[street].astype(np.int64)
    # A one-way chain is one street, which may lie the other way round in its chain.
    ways = np.where(first == kept.a[street], ways, _TURNED[ways])
    is_private = kept.is_private[street]
    both, inner = private & public, private & ~public
    return _Ends(
        street=street,
        leave_from=np.where(is_private, leave[first], number[first]),
        leave_to=np.where(is_private, leave[last], number[last]),
        arrive_from=np.where(is_private, arrive[first], number[first]),
        arrive_to=np.where(is_private, arrive[last], number[last]),
        ways=ways,
        is_private=is_private,
        junctions=opens + 2 * leaves,
        changes=(
            np.concatenate([leave[both], number[both], leave[inner]]),
            np.concatenate([number[both], arrive[both], arrive[inner]]),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Links:
    """What leaves each junction, in order of junctions; `start` has one entry more."""

    start: _Indices
    node: _Indices
    chain: _Indices
    ways: _Indices


def _links(ends: _Ends) -> _Links:
    """List which walks along whole chains lead from junction to junction, from both its ends."""
    forwards, backwards = ends.ways & OUTWARD > 0, ends.ways & INWARD > 0
    arcs = [
        (ends.leave_from, ends.leave_to, forwards),
        (ends.leave_to, ends.leave_from, backwards),
        (ends.arrive_from, ends.arrive_to, forwards & ends.is_private),
        (ends.arrive_to, ends.arrive_from, backwards & ends.is_private),
    ]
    chain, (before, after) = np.arange(len(ends.street)), ends.changes
    start = np.concatenate([*(a[use] for a, _, use in arcs), before])
    stop = np.concatenate([*(b[use] for _, b, use in arcs), after])
    along = np.concatenate([*(chain[use] for _, _, use in arcs), np.full(len(before), -1)])
    is_step = start != stop  # a ring leads nowhere
    return _both_ends(start[is_step], stop[is_step], along[is_step], ends.junctions)


def _both_ends(start: _Indices, stop: _Indices, chain: _Indices, junctions: int) -> _Links:
    """Note each walk where it starts and where it stops; there and back along a chain are one."""
    near, far = np.concatenate([start, stop]), np.concatenate([stop, start])
    ways = np.repeat([OUTWARD, INWARD], len(start))
    along = np.tile(chain, 2)
    order = np.lexsort((along, far, near))
    near, far, along, ways = near[order], far[order], along[order], ways[order]
    is_first = np.ones(len(near), np.bool_)
    is_first[1:] = (near[1:] != near[:-1]) | (far[1:] != far[:-1]) | (along[1:] != along[:-1])
    first = np.flatnonzero(is_first)
    merged = np.bitwise_or.reduceat(ways, first) if len(first) else ways
    first_of = np.searchsorted(near[first], np.arange(junctions + 1))
    return _Links(first_of, far[first], along[first], merged)


def _index(lon: _Floats, lat: _Floats, pieces: _Indices) -> tuple[_Floats, _Indices, _Indices]:
    """Sort the pieces into the cells of a grid; one that crosses several is in each of them."""
    west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
    metre_deg = 1 / np.radians(earth.RADIUS_M)
    widen = 1 / max(0.01, float(np.cos(np.radians((south + north) / 2))))
    area = (east - west) / widen * (north - south) / metre_deg**2
    cell_m = max(_CELL_M, float(np.sqrt(area / _MOST_CELLS)))
    cell_lon, cell_lat = cell_m * metre_deg * widen, cell_m * metre_deg
    columns = int((east - west) / cell_lon) + 1
    rows = int((north - south) / cell_lat) + 1
    x = ((lon - west) / cell_lon).astype(np.int64)
    y = ((lat - south) / cell_lat).astype(np.int64)
    ends = np.stack([np.column_stack([x[p], y[p]]) for p in (pieces, pieces + 1)])
    cell, nth = walking_grid.cells(ends.min(axis=0), ends.max(axis=0), columns)
    grid = np.array([west, south, cell_lon, cell_lat, columns, rows], np.float64)
    return grid, np.searchsorted(cell, np.arange(columns * rows + 1)), pieces[nth]


def _private_m(kept: streets.Streets) -> float:
    a, b = kept.a[kept.is_private], kept.b[kept.is_private]
    return float(walking_parts.lengths(kept.lon, kept.lat, a, b).sum())


def _i32(values: _Indices) -> NDArray[np.int32]:
    return np.ascontiguousarray(values, np.int32)


def _bbox(graph: Graph) -> tuple[float, float, float, float]:
    lon, lat = graph.point_lon, graph.point_lat
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
