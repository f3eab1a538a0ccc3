"""How long it takes on foot: answers in microseconds from street networks held in memory.

The rule, whole (docs/walking.md): a place is put on the nearest point of the nearest street within
250 m; a walk is the way off the street at both ends plus the quickest way along the streets. Where
the way along is no longer than the ways off, as between two places in one large building, one may
go straight, 1.35 times the line, if that is quicker. Where a place has no street near it, or no
street joins the two, the walk is an estimate, 1.35 times the line.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geo import (
    walking_arrays,
    walking_files,
    walking_guess,
    walking_kernel,
    walking_line,
    walking_matrix_kernel,
    walking_reach,
)
from geo.position import EARTH_RADIUS_M, Position
from geo.walking_arrays import INWARD, OUTWARD, Floats, Graph, Snaps, Workspace
from geo.walking_files import Manifest
from geo.walking_memo import Memo

DamagedNetwork = walking_files.DamagedNetwork  # what `load` raises

SNAP_M = 250.0  # farther from any street than this nobody can say how one gets there


class EtaSource(StrEnum):
    """Whether a time was found along the streets, or guessed from the straight line."""

    NETWORK = "network"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True)
class Travel:
    """A walk between two places, from the one to the other."""

    travel_s: float
    distance_m: float
    source: EtaSource


@dataclass(frozen=True, slots=True)
class Way:
    """A walk with its line, from the one place to the other."""

    line: tuple[Position, ...]
    travel: Travel


@dataclass(frozen=True, slots=True)
class _City:
    build: str
    graph: Graph
    west: float
    south: float
    east: float
    north: float
    memo: Memo
    idle: deque[Workspace] = field(default_factory=deque)

    def holds(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Tell which places are near enough to the streets' box to be worth a look."""
        inside: NDArray[np.bool_] = (lon >= self.west) & (lon <= self.east)
        inside &= (lat >= self.south) & (lat <= self.north)
        return inside

    def snap(self, lon: Floats, lat: Floats) -> Snaps:
        snaps = walking_arrays.empty_snaps(lon, lat)
        walking_kernel.snap(self.graph, snaps, SNAP_M)
        return snaps

    @contextmanager
    def workspace(self, speed_mps: float, ways: int = OUTWARD) -> Iterator[Workspace]:
        """Lend a workspace that nobody else uses meanwhile."""
        try:
            work = self.idle.pop()
        except IndexError:
            work = walking_arrays.make_workspace(self.graph)
        work.speed[0], work.ways[0] = speed_mps, ways
        try:
            yield work
        finally:
            self.idle.append(work)

    @contextmanager
    def expansion(
        self, sources: Snaps, within_s: float, speed_mps: float, ways: int = OUTWARD
    ) -> Iterator[Workspace]:
        """Expand from the sources, or to them.

        Goes beyond the limit where a way straight to a place might still be within it.
        """
        with self.workspace(speed_mps, ways) as work:
            limit = max(within_s * speed_mps, 4 * SNAP_M)
            walking_kernel.expand(self.graph, work, sources, (0, len(sources.piece)), limit)
            yield work

    def part(self, snaps: Snaps) -> NDArray[np.int32]:
        """Give the part of the network on which each place stands, -1 for none."""
        return np.where(snaps.piece < 0, np.int32(-1), self.graph.chain_part[snaps.chain])


class WalkingNetwork:
    """The streets of one or several cities; never changes, may be used from several threads.

    Walks lead from the origin to the targets, with `inbound` from the targets to the origin. The
    two differ by one-way lanes and belts only.
    """

    def __init__(self, cities: Sequence[_City], *, speed_mps: float) -> None:
        self._cities = tuple(cities)
        self._speed_mps = speed_mps

    @classmethod
    def load(cls, folder: Path, *, speed_mps: float) -> Self:
        """Map every city in the folder; none there makes a network of estimates only.

        Raises `DamagedNetwork`.
        """
        found = walking_files.manifests(folder)
        cities = [_city(walking_files.load(place, found[place]), found[place]) for place in found]
        return cls(cities, speed_mps=speed_mps)

    @property
    def generation(self) -> str:
        """Name what is loaded; compare it with `generation_of` to see whether it is still so."""
        return " ".join(sorted(city.build for city in self._cities))

    @property
    def speed_mps(self) -> float:
        """Give the speed on level ground that times are counted with."""
        return self._speed_mps

    def times(
        self,
        origin: Position,
        targets: Sequence[Position],
        *,
        within_s: float,
        speed_mps: float | None = None,
        inbound: bool = False,
    ) -> list[Travel | None]:
        """Measure the walks between the origin and every target; None means beyond `within_s`."""
        speed = speed_mps or self._speed_mps
        lon, lat = _columns(targets)
        found = self._city_of(origin)
        if found is None or not targets:
            return [_guess(origin, target, speed, within_s) for target in targets]
        city, source = found
        snaps = city.memo.snap(lon, lat)
        answers = walking_arrays.empty_answers(snaps)
        with city.expansion(source, within_s, speed, INWARD if inbound else OUTWARD) as work:
            walking_kernel.measure(city.graph, work, source, snaps, answers)
        rows = zip(
            targets,
            (city.part(snaps) == city.part(source)).tolist(),
            (answers.effort / speed).tolist(),
            answers.length.tolist(),
            strict=True,
        )
        return [
            (Travel(seconds, metres, EtaSource.NETWORK) if seconds <= within_s else None)
            if is_joined
            else _guess(origin, target, speed, within_s)
            for target, is_joined, seconds, metres in rows
        ]

    def matrix(
        self,
        sources: Sequence[Position],
        targets: Sequence[Position],
        *,
        within_s: float,
        speed_mps: float | None = None,
    ) -> NDArray[np.float64]:
        """Measure seconds from every source (row) to every target; nan is beyond `within_s`."""
        return self.marked_matrix(sources, targets, within_s=within_s, speed_mps=speed_mps)[0]

    def marked_matrix(
        self,
        sources: Sequence[Position],
        targets: Sequence[Position],
        *,
        within_s: float,
        speed_mps: float | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Measure a matrix, and tell which of its entries are estimates.

        One bounded expansion for each place of the shorter side.
        """
        speed = speed_mps or self._speed_mps
        effort = np.full((len(sources), len(targets)), np.inf)
        is_guess = np.ones(effort.shape, np.bool_)
        lon, lat = _columns(targets)
        for city, rows, snaps in self._homes(*_columns(sources)):
            if city is None:
                continue
            targets_there = city.snap(lon, lat)
            effort[rows] = _efforts(city, snaps, targets_there, within_s, speed)
            is_guess[rows] = city.part(snaps)[:, None] != city.part(targets_there)[None, :]
        if is_guess.any():
            walking_guess.fill(effort, is_guess, _columns(sources), (lon, lat))
        seconds = effort / speed
        seconds[~(seconds <= within_s)] = np.nan
        return seconds, is_guess

    def isochrone(
        self,
        origin: Position,
        within_s: Sequence[float],
        *,
        speed_mps: float | None = None,
        inbound: bool = False,
    ) -> list[walking_reach.Area]:
        """Draw the area that is reached within each of these times; rule: `walking_reach`."""
        speed, found = speed_mps or self._speed_mps, self._city_of(origin)
        if found is None:
            return [walking_reach.guess(origin, limit_s * speed) for limit_s in within_s]
        city, source = found
        ways = INWARD if inbound else OUTWARD
        with city.expansion(source, max(within_s), speed, ways) as work:
            return [
                walking_reach.area(
                    city.graph, work, source, limit_s * speed, widest=max(within_s) * speed
                )
                for limit_s in within_s
            ]

    def reach(
        self,
        sources: Sequence[Position],
        targets: NDArray[np.float64] | Sequence[Position],
        within_s: float,
    ) -> NDArray[np.float32]:
        """Measure seconds from every target to its nearest source, infinite beyond `within_s`.

        `targets` are rows of longitude and latitude, or positions. One expansion answers a city.
        """
        limit = within_s * self._speed_mps
        lon, lat = _columns(targets)
        effort = np.full(len(lon), np.inf)
        for city, _, seeds in self._homes(*_columns(sources)):
            is_off = np.ones(len(lon), np.bool_)
            if city is not None:
                rows = np.flatnonzero(city.holds(lon, lat))
                snaps = city.snap(lon[rows], lat[rows])
                answers = walking_arrays.empty_answers(snaps)
                with city.expansion(seeds, within_s, self._speed_mps) as work:
                    walking_kernel.measure(city.graph, work, seeds, snaps, answers)
                effort[rows] = np.minimum(effort[rows], answers.effort)
                is_off[rows] = ~np.isin(city.part(snaps), city.part(seeds))
            walking_guess.nearest(effort, np.flatnonzero(is_off), (lon, lat), seeds, limit)
        effort[effort > limit] = np.inf
        return (effort / self._speed_mps).astype(np.float32)

    def way(
        self,
        origin: Position,
        target: Position,
        *,
        within_s: float,
        speed_mps: float | None = None,
    ) -> Way | None:
        """Trace the walk between two places; None means beyond `within_s`.

        The line of an estimate is the straight one.
        """
        speed = speed_mps or self._speed_mps
        found = self._city_of(origin)
        if found is not None:
            city, source = found
            snap = city.snap(*_columns([target]))
            if city.part(snap)[0] == city.part(source)[0]:
                return _trace(city, source, snap, speed, within_s)
        travel = _guess(origin, target, speed, within_s)
        return None if travel is None else Way((origin, target), travel)

    def warm_up(self) -> None:
        """Load the compiled loops now, so that the first alert does not wait for them.

        Takes a fraction of a second; the very first time on a machine it compiles for some more.
        """
        graph = walking_arrays.tiny_graph()
        city = _City("", graph, -180.0, -90.0, 180.0, 90.0, Memo(graph, SNAP_M))
        network = WalkingNetwork([city], speed_mps=1.0)
        places = [Position(0.0, 0.0), Position(0.001, 0.0001)]
        network.times(places[0], places, within_s=1000.0)
        network.reach(places, places, 1000.0)
        network.matrix(places, places, within_s=1000.0)

    def _city_of(self, origin: Position) -> tuple[_City, Snaps] | None:
        """Find the city whose streets are nearest to a place, with the place on its street."""
        best: tuple[_City, Snaps] | None = None
        for city in self._cities:
            if city.west <= origin.lon <= city.east and city.south <= origin.lat <= city.north:
                snaps = city.snap(*_columns([origin]))
                if snaps.piece[0] >= 0 and (best is None or snaps.off[0] < best[1].off[0]):
                    best = city, snaps
        return best

    def _homes(
        self, lon: Floats, lat: Floats
    ) -> Iterator[tuple[_City | None, NDArray[np.int64], Snaps]]:
        """Share the places out to the cities nearest to them, then those near none of them.

        Each share, its rows and snaps, is sorted by chain, as `walking_kernel.measure` wants it.
        """
        nearest, home = np.full(len(lon), np.inf), np.full(len(lon), -1)
        found = []
        for number, city in enumerate(self._cities):
            rows = np.flatnonzero(city.holds(lon, lat))
            snaps = city.snap(lon[rows], lat[rows])
            found.append((city, rows, snaps))
            is_nearer = snaps.off < nearest[rows]
            home[rows[is_nearer]] = number
            nearest[rows[is_nearer]] = snaps.off[is_nearer]
        for number, (city, rows, snaps) in enumerate(found):
            chosen = np.flatnonzero(home[rows] == number)
            if len(chosen):
                order = chosen[np.argsort(snaps.chain[chosen], kind="stable")]
                yield city, rows[order], walking_arrays.pick(snaps, order)
        homeless = np.flatnonzero(home < 0)
        if len(homeless):
            yield None, homeless, walking_arrays.empty_snaps(lon[homeless], lat[homeless])


def generation_of(folder: Path) -> str:
    """Name what the folder holds now, to be compared with `WalkingNetwork.generation`."""
    return " ".join(sorted(city.build for city in walking_files.manifests(folder).values()))


def _efforts(
    city: _City, sources: Snaps, targets: Snaps, within_s: float, speed_mps: float
) -> NDArray[np.float64]:
    """Fill a matrix of efforts from the side that has fewer places."""
    is_turned = len(targets.piece) < len(sources.piece)
    near, far = (targets, sources) if is_turned else (sources, targets)
    efforts = np.full((len(near.piece), len(far.piece)), np.inf)
    with city.workspace(speed_mps, INWARD if is_turned else OUTWARD) as work:
        work.limit[0] = within_s * speed_mps
        walking_matrix_kernel.fill(city.graph, work, near, far, efforts)
    return efforts.T if is_turned else efforts


def _trace(
    city: _City, source: Snaps, target: Snaps, speed_mps: float, within_s: float
) -> Way | None:
    answers = walking_arrays.empty_answers(target)
    with city.expansion(source, within_s, speed_mps) as work:
        walking_kernel.measure(city.graph, work, source, target, answers)
        seconds = float(answers.effort[0]) / speed_mps
        if seconds > within_s:
            return None
        line = walking_line.trace(city.graph, work, source, target, int(answers.how[0]))
    travel = Travel(seconds, float(answers.length[0]), EtaSource.NETWORK)
    return Way(tuple(Position(lon, lat) for lon, lat in line.tolist()), travel)


def _city(graph: Graph, manifest: Manifest) -> _City:
    west, south, east, north = manifest.bbox
    margin = SNAP_M / math.radians(EARTH_RADIUS_M)
    wide = margin / max(0.01, math.cos(math.radians(max(abs(south), abs(north)))))
    return _City(
        build=manifest.build,
        graph=graph,
        west=west - wide,
        south=south - margin,
        east=east + wide,
        north=north + margin,
        memo=Memo(graph, SNAP_M),
    )


def _columns(places: NDArray[np.float64] | Sequence[Position]) -> tuple[Floats, Floats]:
    if isinstance(places, np.ndarray):
        rows = np.asarray(places, np.float64).reshape(-1, 2)
        return np.ascontiguousarray(rows[:, 0]), np.ascontiguousarray(rows[:, 1])
    lon = np.array([place.lon for place in places], np.float64)
    return lon, np.array([place.lat for place in places], np.float64)


def _guess(origin: Position, target: Position, speed_mps: float, within_s: float) -> Travel | None:
    metres = walking_guess.metres(origin, target)
    seconds = metres / speed_mps
    return Travel(seconds, metres, EtaSource.ESTIMATE) if seconds <= within_s else None
